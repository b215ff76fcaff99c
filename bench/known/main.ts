/** `npm run known`: finds public bugs of released packages again. docs/known-bugs.md has the results. */
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { HarnessError } from "../../harness/core/error.ts";
import { installations } from "./install.ts";
import { type KnownBug, readKnownBugs } from "./known-bug.ts";
import { type Measurement, measure, searchBefore } from "./measure.ts";
import { readMeasurements, writeMeasurement } from "./results.ts";
import { measureStacks, type StackMeasurement } from "./stacks.ts";
import { lineOf, stackRow, withStack, withTable } from "./table.ts";

const PAGE = fileURLToPath(new URL("../../docs/known-bugs.md", import.meta.url));

const USAGE = `usage: npm run known -- [NAME…] [options]
  --before 60s   the time of each search of a version with a bug
  --after 60s    the time of the search of a version without it
  --json         print the measurements as JSON
  --quick        only search the versions with a bug, at the fewest kinds of gates
  --stacks       search one small race through each driver and ORM of examples/stacks instead
  --write        keep the measurements, and write them into docs/known-bugs.md
`;

async function main(): Promise<number> {
  const { positionals, values } = parsedArguments();
  const folder = await installations();
  if (values.stacks) return stacks(folder, positionals, values.write);
  const bugs = await readKnownBugs(positionals);
  if (values.quick) return quick(folder, bugs, values.before);
  const measurements: Measurement[] = [];
  let failed = false;
  for (const bug of bugs) {
    const measurement = await measure(folder, bug, values).catch((error: unknown) => {
      if (!(error instanceof HarnessError)) throw error;
      process.stderr.write(`${bug.name}: ${error.message}\n`);
    });
    failed ||= measurement === undefined || measurement.unexpected.length > 0;
    if (measurement === undefined) continue;
    measurements.push(measurement);
    if (!values.json) process.stdout.write(`${lineOf(measurement)}\n`);
    if (values.write) await keep(measurement);
  }
  if (values.json) process.stdout.write(`${JSON.stringify(measurements, null, 2)}\n`);
  return failed ? 1 : 0;
}

/** Searches the versions with a bug alone. */
async function quick(folder: string, bugs: readonly KnownBug[], time: string): Promise<number> {
  let missed = 0;
  for (const bug of bugs) {
    const { found, seconds } = await searchBefore(folder, bug, time);
    if (found === null) missed++;
    const result = found === null ? "NOT FOUND" : `${found.rule}, execution ${found.execution}`;
    process.stdout.write(`${bug.name}: ${result} (${seconds.toFixed(1)} s)\n`);
  }
  return missed > 0 ? 1 : 0;
}

/** Prints the table of stacks. */
async function stacks(folder: string, names: readonly string[], write: boolean): Promise<number> {
  let failed = false;
  const measured = async (stack: StackMeasurement) => {
    failed ||= stack.found?.preemptions !== 1 || stack.replays < 20;
    process.stdout.write(`${stackRow(stack)}\n`);
    if (write) await writeFile(PAGE, withStack(await readFile(PAGE, "utf8"), stackRow(stack)));
  };
  await measureStacks(folder, names, measured, (stack, reason) => {
    process.stderr.write(`${stack} is skipped: ${reason}\n`);
  });
  return failed ? 1 : 0;
}

function parsedArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        before: { type: "string", default: "60s" },
        after: { type: "string", default: "60s" },
        json: { type: "boolean", default: false },
        write: { type: "boolean", default: false },
        stacks: { type: "boolean", default: false },
        quick: { type: "boolean", default: false },
      },
    });
  } catch (error) {
    throw new HarnessError("USAGE", `${(error as Error).message}\n${USAGE}`);
  }
}

async function keep(measurement: Measurement): Promise<void> {
  await writeMeasurement(measurement);
  const page = await readFile(PAGE, "utf8");
  await writeFile(PAGE, withTable(page, await readKnownBugs([]), await readMeasurements()));
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof HarnessError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
