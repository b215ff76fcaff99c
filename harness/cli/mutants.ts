import { randomInt } from "node:crypto";
import { availableParallelism } from "node:os";
import { HarnessError } from "../core/error.ts";
import type { PlantedResult } from "../core/planted.ts";
import { DEFAULTS } from "../defaults.ts";
import { runPlanted } from "../mutation/planted-run.ts";
import { startServer } from "../postgres/provider.ts";
import { plantedText } from "../reporters/planted-text.ts";
import { recordJson } from "../reporters/records.ts";
import { writePlanted } from "../reporters/write-planted.ts";
import { exitCodeOfCampaign } from "./exit-code.ts";
import { interruption } from "./interruption.ts";
import { loadSubject } from "./load-subject.ts";
import { showInReport } from "./show-in-report.ts";

export interface MutantsOptions {
  readonly only?: readonly string[];
  readonly seed?: number;
  readonly runs: number;
  readonly time?: number;
  readonly judgesTable?: boolean;
  readonly replays: number;
  readonly postgres: string;
  readonly reuse?: boolean;
  readonly report: string;
  readonly json?: boolean;
  readonly stepTimeout: number;
  readonly shrinkTime: number;
}

/** More at once only wait for each other: they all run in this process. */
const MOST_AT_ONCE = 2;

/** `heddle mutants`: tries every planted bug, prints and writes the table, and the exit code. */
export async function mutantsCommand(model: string, options: MutantsOptions): Promise<number> {
  const subject = await loadSubject(model);
  const interrupted = interruption();
  const server = await startServer(options.postgres, { reuse: options.reuse === true });
  try {
    process.stderr.write(`${server.description}\n`);
    const report = await runPlanted(server, subject, {
      seed: options.seed ?? randomInt(2 ** 31),
      runs: options.runs,
      timeMs: options.time,
      only: options.only,
      allJudges: options.judgesTable === true,
      atOnce: Math.min(MOST_AT_ONCE, availableParallelism()),
      replays: options.replays,
      bounds: DEFAULTS.bounds,
      shrinkTimeMs: options.shrinkTime,
      stepTimeoutMs: options.stepTimeout,
      signal: interrupted.signal,
      mortalServer: () => startServer(options.postgres, { faults: true }),
      onResult: (result, done, of) => process.stderr.write(`${progress(result, done, of)}\n`),
    });
    const record = await writePlanted(options.report, report);
    await showInReport(options.report);
    const colour = process.stdout.isTTY && process.stdout.hasColors();
    process.stdout.write(options.json ? recordJson(record) : plantedText(record, colour));
    const error = interrupted.signal.aborted
      ? new HarnessError("INTERRUPTED", "interrupted")
      : undefined;
    return exitCodeOfCampaign(report.verdict, error);
  } finally {
    await server.stop();
    interrupted.end();
  }
}

function progress({ name, outcome }: PlantedResult, done: number, of: number): string {
  return `${done}/${of} ${name}: ${outcome}`;
}
