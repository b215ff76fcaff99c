import type { PlantedReport, PlantedResult } from "../core/planted.ts";
import { commandCount } from "../core/scenario.ts";
import type { Violation } from "../core/verdict.ts";
import { mainViolation, replayCommand, replayFilePath } from "./replay-command.ts";

/** What became of a planted bug, with where it can be replayed instead of the whole trace. */
export type PlantedEntry = Omit<PlantedResult, "counterexample"> & {
  readonly counterexample: {
    readonly file: string;
    readonly replay: string;
    readonly commands: number;
    /** Clients that have commands. */
    readonly clients: number;
    readonly preemptions: number;
    readonly faults: number;
    /** The first is what it was shrunk for. */
    readonly violations: readonly Pick<Violation, "judge" | "name" | "message">[];
    readonly shrunk: NonNullable<PlantedResult["counterexample"]>["shrunk"];
  } | null;
};

/** `mutants.json`: all that is told of planted bugs, on a page or in a terminal, is made of it. */
export interface PlantedRecord extends Omit<PlantedReport, "results"> {
  readonly version: typeof PLANTED_VERSION;
  readonly results: readonly PlantedEntry[];
}

export const PLANTED_VERSION = 2;

/** @param folder where the replay files are written to */
export function plantedRecord(report: PlantedReport, folder: string): PlantedRecord {
  const results = report.results.map((result) => ({
    ...result,
    counterexample: entryOf(result, folder),
  }));
  return { version: PLANTED_VERSION, ...report, results };
}

function entryOf({ counterexample }: PlantedResult, folder: string) {
  if (counterexample === null) return null;
  mainViolation(counterexample);
  const { scenario, preemptions, trace, violations, shrunk } = counterexample;
  const file = replayFilePath(folder, counterexample);
  return {
    file,
    replay: replayCommand(file),
    commands: commandCount(scenario),
    clients: scenario.clients.filter((commands) => commands.length > 0).length,
    preemptions,
    faults: trace.filter(({ type }) => type === "fault").length,
    violations: violations.map(({ judge, name, message }) => ({ judge, name, message })),
    shrunk,
  };
}
