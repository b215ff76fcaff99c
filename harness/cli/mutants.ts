import { randomInt } from "node:crypto";
import { availableParallelism } from "node:os";
import { HarnessError } from "../core/error.ts";
import type { SeededBugResult } from "../mutation/seeded-bugs.ts";
import { runSeededBugs } from "../mutation/seeded-bugs.ts";
import { startServer } from "../postgres/provider.ts";
import { jsonText } from "../reporters/json.ts";
import { redactedSeededBugs } from "../reporters/redacted-reports.ts";
import type { Redaction } from "../reporters/redaction.ts";
import { seededBugsText } from "../reporters/seeded-bugs.ts";
import { writeSeededBugs } from "../reporters/write.ts";
import { exitCodeOfCampaign, interruption } from "./exit.ts";
import { print } from "./output.ts";
import { loadGivenService } from "./project.ts";
import { showInReport } from "./publish.ts";
import { requireFolder } from "./writable.ts";

export interface MutantsOptions {
  readonly only?: readonly string[];
  readonly seed?: number;
  readonly runs: number;
  readonly time?: number;
  readonly checkersTable?: boolean;
  readonly replays: number;
  readonly postgres: string;
  readonly reuse?: boolean;
  readonly report: string;
  readonly redact?: Redaction;
  readonly json?: boolean;
  readonly stepTimeout: number;
  readonly shrinkTime: number;
}

/** The most campaigns at once: all run in this process, and more would wait for each other. */
const MOST_AT_ONCE = 2;

/**
 * `heddle mutants`: verifies the service with each seeded bug, prints the table and writes the
 * reports. Returns the exit code.
 */
export async function mutantsCommand(
  name: string | undefined,
  options: MutantsOptions,
): Promise<number> {
  await requireFolder(options.report, "--report");
  const { service } = await loadGivenService(name);
  if (service.seededBugs.length === 0) {
    throw new HarnessError(
      "USAGE",
      `the service "${service.name}" has no seeded bugs to plant: add \`seededBugs\` to it, or try --derived`,
    );
  }
  const interrupted = interruption();
  const server = await startServer(options.postgres, { reuse: options.reuse === true });
  try {
    process.stderr.write(`${server.description}\n`);
    const report = await runSeededBugs(server, service, {
      seed: options.seed ?? randomInt(2 ** 31),
      runs: options.runs,
      timeMs: options.time,
      only: options.only,
      allCheckers: options.checkersTable === true,
      atOnce: Math.min(MOST_AT_ONCE, availableParallelism()),
      replays: options.replays,
      shrinkTimeMs: options.shrinkTime,
      stepTimeoutMs: options.stepTimeout,
      signal: interrupted.signal,
      killableServer: () => startServer(options.postgres, { faults: true }),
      onResult: (result, done, of) => process.stderr.write(`${progress(result, done, of)}\n`),
    });
    const record = await writeSeededBugs(
      options.report,
      redactedSeededBugs(report, options.redact),
    );
    await showInReport(options.report);
    const colour = process.stdout.isTTY && process.stdout.hasColors();
    print(options.json ? jsonText(record) : seededBugsText(record, colour));
    const error = interrupted.signal.aborted
      ? new HarnessError("INTERRUPTED", "interrupted")
      : undefined;
    return exitCodeOfCampaign(report.verdict, error);
  } finally {
    await server.stop();
    interrupted.end();
  }
}

function progress({ name, outcome }: SeededBugResult, done: number, of: number): string {
  return `${done}/${of} ${name}: ${outcome}`;
}
