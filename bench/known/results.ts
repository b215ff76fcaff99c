import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { allNames, EXAMPLES } from "./known-bug.ts";
import type { Measurement } from "./measure.ts";

/** Beside the scenario: its latest measurement. */
const MEASURED = "measured.json";

/** The latest measurement of each bug that was measured. */
export async function readMeasurements(): Promise<readonly Measurement[]> {
  const files = (await allNames()).map((name) => join(EXAMPLES, name, MEASURED));
  const texts = await Promise.all(
    files.map((file) => readFile(file, "utf8").catch(() => undefined)),
  );
  return texts.flatMap((text) => (text === undefined ? [] : JSON.parse(text)));
}

export async function writeMeasurement(measurement: Measurement): Promise<void> {
  const file = join(EXAMPLES, measurement.name, MEASURED);
  await writeFile(file, `${JSON.stringify(measurement, null, 2)}\n`);
}
