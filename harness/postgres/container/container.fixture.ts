import { describe } from "vitest";
import { openEngine, resolveImage, whyNoContainer } from "./engine.ts";

/** The image that tests of containers use: HEDDLE_TEST_IMAGE, else the default. */
export const testImage = resolveImage(process.env["HEDDLE_TEST_IMAGE"] ?? "");
export const testContainer = `container:${testImage}`;

const missing = await whyNoContainer(testImage);
if (missing !== undefined && process.env["CI"] === "true") {
  throw new Error(`CI cannot test containers: ${missing}`);
}

/** Tests that need a container engine and the image. They are skipped, with the reason, if either is missing. */
export function describeContainers(name: string, tests: () => void): void {
  if (missing === undefined) describe(name, tests);
  else describe.skip(`${name} (skipped: ${missing})`, tests);
}

/** The containers and volumes of the engine, to find out what a test has added. */
export async function inventory(): Promise<{ containers: string[]; volumes: string[] }> {
  const { api } = await openEngine();
  const containers = await api.listContainers({ all: true });
  const { Volumes } = await api.listVolumes();
  return {
    containers: containers.map(({ Id }) => Id).sort(),
    volumes: Volumes.map(({ Name }) => Name).sort(),
  };
}
