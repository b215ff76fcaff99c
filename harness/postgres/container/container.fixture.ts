import { describe } from "vitest";
import { openEngine, resolveImage, whyNoContainer } from "./engine.ts";

/** The image that tests of containers use: HEDDLE_TEST_IMAGE, else the usual one. */
export const testImage = resolveImage(process.env["HEDDLE_TEST_IMAGE"] ?? "");
export const testContainer = `container:${testImage}`;

const lacking = await whyNoContainer(testImage);
if (lacking !== undefined && process.env["CI"] === "true") {
  throw new Error(`CI has to test containers, and cannot: ${lacking}`);
}

/** Tests that need an engine and the image. Without them they are skipped, which the name says. */
export function describeContainers(name: string, tests: () => void): void {
  if (lacking === undefined) describe(name, tests);
  else describe.skip(`${name} (skipped: ${lacking})`, tests);
}

/** What an engine has at a moment, to see what was added. */
export async function inventory(): Promise<{ containers: string[]; volumes: string[] }> {
  const { api } = await openEngine();
  const containers = await api.listContainers({ all: true });
  const { Volumes } = await api.listVolumes();
  return {
    containers: containers.map(({ Id }) => Id).sort(),
    volumes: Volumes.map(({ Name }) => Name).sort(),
  };
}
