import { operationCount } from "../core/scenario.ts";
import type { Violation } from "../core/verdict.ts";
import type { SeededBugReport, SeededBugResult } from "../mutation/seeded-bugs.ts";
import { mainViolation, replayCommand, replayFilePath } from "./replay-command.ts";

/** What became of a seeded bug, with where it can be replayed instead of the whole trace. */
export type SeededBugEntry = Omit<SeededBugResult, "counterexample"> & {
  readonly counterexample: {
    readonly file: string;
    readonly replay: string;
    readonly operations: number;
    /** Clients that have operations. */
    readonly clients: number;
    readonly preemptions: number;
    readonly faults: number;
    /** The first is what it was shrunk for. */
    readonly violations: readonly Pick<Violation, "checker" | "name" | "message">[];
    readonly shrunk: NonNullable<SeededBugResult["counterexample"]>["shrunk"];
  } | null;
};

/** `mutants.json`: all that is told of seeded bugs, on a page or in a terminal, is made of it. */
export interface SeededBugRecord extends Omit<SeededBugReport, "results"> {
  readonly version: typeof SEEDED_BUGS_VERSION;
  readonly results: readonly SeededBugEntry[];
}

export const SEEDED_BUGS_VERSION = 2;

/** @param folder where the replay files are written to */
export function seededBugRecord(report: SeededBugReport, folder: string): SeededBugRecord {
  const results = report.results.map((result) => ({
    ...result,
    counterexample: entryOf(result, folder),
  }));
  return { version: SEEDED_BUGS_VERSION, ...report, results };
}

function entryOf({ counterexample }: SeededBugResult, folder: string) {
  if (counterexample === null) return null;
  mainViolation(counterexample);
  const { scenario, preemptions, trace, violations, shrunk } = counterexample;
  const file = replayFilePath(folder, counterexample);
  return {
    file,
    replay: replayCommand(file),
    operations: operationCount(scenario),
    clients: scenario.clients.filter((operations) => operations.length > 0).length,
    preemptions,
    faults: trace.filter(({ type }) => type === "fault").length,
    violations: violations.map(({ checker, name, message }) => ({ checker, name, message })),
    shrunk,
  };
}
