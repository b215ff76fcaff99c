import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { GATE_LEVELS } from "../../harness/core/control.ts";
import { installedStack } from "./install.ts";
import { identicalReplays, type Search, search, withReports } from "./measure.ts";

/** The folder with a scenario for each stack, and `packages.json` with their packages. */
const STACKS = fileURLToPath(new URL("../../examples/stacks/", import.meta.url));

/** A driver, or an ORM with its driver, through which the same race was searched. */
export interface StackMeasurement {
  readonly stack: string;
  readonly packages: { readonly [name: string]: string };
  readonly found: Search["found"];
  /** How many replays of the counterexample were identical, of 20. */
  readonly replays: number;
}

/**
 * Searches the lost update of `examples/stacks` through stacks, and replays what it finds.
 * @param names an empty list stands for all stacks
 */
export async function measureStacks(
  folder: string,
  names: readonly string[],
  measured: (stack: StackMeasurement) => Promise<void>,
): Promise<void> {
  const all: { readonly [stack: string]: StackMeasurement["packages"] } = JSON.parse(
    await readFile(join(STACKS, "packages.json"), "utf8"),
  );
  for (const [stack, packages] of Object.entries(all)) {
    if (names.length > 0 && !names.includes(stack)) continue;
    const file = await installedStack(folder, STACKS, stack, packages);
    await withReports(async (reports) => {
      const result = await search(file, "30s", GATE_LEVELS, reports);
      const replays = await identicalReplays(dirname(file), result);
      await measured({ stack, packages, found: result.found, replays });
    });
  }
}
