import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { GATE_NAMES } from "../../harness/core/control.ts";
import { HarnessError } from "../../harness/core/error.ts";
import { installedStack } from "./install.ts";
import { identicalReplays, type Search, search, withReports } from "./measure.ts";
import { type Packages, withInstalledVersions } from "./packages.ts";

/** The folder with a scenario for each stack, and `stacks.json` with what they need. */
const STACKS = fileURLToPath(new URL("../../examples/stacks/", import.meta.url));

/** A driver, or an ORM with its driver, through which the same race was searched. */
export interface StackMeasurement {
  readonly stack: string;
  readonly packages: Packages;
  readonly found: Search["found"];
  /** How many replays of the counterexample were identical, of 20. */
  readonly replays: number;
}

/** What a stack needs, in `stacks.json`. */
interface Stack {
  readonly packages: Packages;
  /** A command beside the packages and the scenarios, before they are loaded. Default: none. */
  readonly prepare?: readonly string[];
}

/**
 * Searches the lost update of `examples/stacks` through stacks, and replays what it finds.
 * @param names an empty list stands for all stacks
 * @param skipped is called for a stack whose packages cannot be had, with the reason
 */
export async function measureStacks(
  folder: string,
  names: readonly string[],
  measured: (stack: StackMeasurement) => Promise<void>,
  skipped: (stack: string, reason: string) => void,
): Promise<void> {
  const all: { readonly [stack: string]: Stack } = JSON.parse(
    await readFile(join(STACKS, "stacks.json"), "utf8"),
  );
  for (const [stack, needs] of Object.entries(all)) {
    if (names.length > 0 && !names.includes(stack)) continue;
    try {
      await measured(await measureStack(folder, stack, needs));
    } catch (error) {
      if (!(error instanceof HarnessError && error.code === "PROVIDER_FAILED")) throw error;
      skipped(stack, error.message);
    }
  }
}

function measureStack(
  folder: string,
  stack: string,
  { packages, prepare }: Stack,
): Promise<StackMeasurement> {
  return withReports(async (reports) => {
    const versions = await withInstalledVersions(packages);
    const file = await installedStack(folder, STACKS, stack, packages, prepare);
    const result = await search(file, "30s", GATE_NAMES, reports);
    const replays = await identicalReplays(dirname(file), result);
    return { stack, packages: versions, found: result.found, replays };
  });
}
