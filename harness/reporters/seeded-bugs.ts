import { operationCount } from "../core/scenario.ts";
import type { Violation } from "../core/verdict.ts";
import type {
  BaselineResult,
  CheckerFinding,
  SeededBugReport,
  SeededBugResult,
} from "../mutation/seeded-bugs.ts";
import { duration, formatNumber, printable, quantity, withShortTexts } from "./format-values.ts";
import {
  COUNT,
  guardFor,
  listOf,
  NUMBER,
  object,
  oneOf,
  orNull,
  PROVENANCE,
  TEXT,
  TEXTS,
  VERDICT,
} from "./record-schema.ts";
import { mainViolation, replayCommand, replayFilePath } from "./replay-command.ts";
import { coloursFor, tableLines } from "./terminal.ts";

const VERSION = 3;

/** The result for one seeded bug, with the path of the replay file instead of the counterexample. */
export type SeededBugEntry = Omit<SeededBugResult, "counterexample"> & {
  readonly counterexample: {
    readonly file: string;
    readonly replay: string;
    readonly operations: number;
    /** The number of clients that have operations. */
    readonly clients: number;
    readonly preemptions: number;
    readonly faults: number;
    /** The first is the violation that shrinking preserved. */
    readonly violations: readonly Pick<Violation, "checker" | "name" | "message">[];
    readonly shrunk: NonNullable<SeededBugResult["counterexample"]>["shrunk"];
  } | null;
};

/** `mutants.json`. The page and the text about seeded bugs are made from it. */
export interface SeededBugRecord extends Omit<SeededBugReport, "results"> {
  readonly version: typeof VERSION;
  readonly results: readonly SeededBugEntry[];
}

/** @param folder where the replay files are written */
export function seededBugRecord(report: SeededBugReport, folder: string): SeededBugRecord {
  const results = report.results.map((result) => ({
    ...result,
    counterexample: counterexampleEntry(result, folder),
  }));
  return withShortTexts({ version: VERSION, ...report, results });
}

function counterexampleEntry({ counterexample }: SeededBugResult, folder: string) {
  if (counterexample === null) return null;
  mainViolation(counterexample);
  const { scenario, preemptions, trace, violations, shrunk } = counterexample;
  const file = replayFilePath(folder, counterexample);
  return {
    file,
    replay: replayCommand(file, counterexample.replayWith),
    operations: operationCount(scenario),
    clients: scenario.clients.filter((operations) => operations.length > 0).length,
    preemptions,
    faults: trace.filter(({ type }) => type === "fault").length,
    violations: violations.map(({ checker, name, message }) => ({ checker, name, message })),
    shrunk,
  };
}

export const isSeededBugRecord = guardFor<SeededBugRecord>(
  object({
    version: { const: VERSION },
    service: TEXT,
    seed: COUNT,
    budget: object({ runs: COUNT }),
    allCheckers: { type: "boolean" },
    verdict: VERDICT,
    elapsedMs: NUMBER,
    results: listOf(
      object({
        ...{ name: TEXT, origin: TEXT, checker: orNull(TEXT), equivalent: orNull(TEXT) },
        outcome: oneOf("caught", "survived", "equivalent", "false alarm", "unknown"),
        ...{ gates: TEXTS, faults: TEXTS, executions: COUNT },
        checkers: listOf(object({ checker: TEXT, executions: COUNT, elapsedMs: NUMBER })),
        counterexample: orNull(
          object({
            ...{ file: TEXT, replay: TEXT },
            ...{ operations: COUNT, clients: COUNT, preemptions: COUNT, faults: COUNT },
            violations: listOf(object({ checker: TEXT, name: TEXT, message: TEXT })),
          }),
        ),
        replays: orNull(object({ identical: COUNT, of: COUNT })),
        reason: orNull(TEXT),
      }),
    ),
    baseline: listOf(
      object({
        ...{ gates: TEXTS, faults: TEXTS, verdict: VERDICT, executions: COUNT },
        ...{ elapsedMs: NUMBER, reason: orNull(TEXT) },
      }),
    ),
    untried: TEXTS,
    ...PROVENANCE,
  }),
);

/** Whether the outcome is the expected one. */
export function isExpected({ outcome }: SeededBugEntry): boolean {
  return outcome === "caught" || outcome === "equivalent";
}

/** The finding that a row shows: of the checker that must catch the bug, or of the first checker. */
export function findingOf(result: SeededBugEntry): CheckerFinding {
  const { checker, checkers, executions, elapsedMs } = result;
  const finding = checkers.find((it) => it.checker === checker) ?? checkers[0];
  return finding ?? { checker: checker ?? "", executions, elapsedMs };
}

/** `20/20`: identical replays of all replays. Empty if there was no counterexample. */
export function replayCell({ counterexample, replays }: SeededBugEntry): string {
  return counterexample === null || replays === null ? "" : `${replays.identical}/${replays.of}`;
}

/** Each checker that found a violation, in alphabetical order. */
export function reportedCheckers({ results }: SeededBugRecord): readonly string[] {
  const names = results.flatMap(({ checkers }) => checkers.map(({ checker }) => checker));
  return [...new Set(names)].sort();
}

/** The bug's name, then for each checker the executions until it alone found a violation. */
export function checkerRow(result: SeededBugEntry, checkers: readonly string[]): readonly string[] {
  const cells = checkers.map((name) => {
    const finding = result.checkers.find(({ checker }) => checker === name);
    return finding === undefined ? "" : formatNumber(finding.executions);
  });
  return [result.name, ...cells];
}

/** Compares two other checkers, and so finds nothing by itself. */
const AGREEMENT = "agreement";

/** For each checker, the bugs that it finds and no other checker does. */
export function bugsByOnlyChecker(
  record: SeededBugRecord,
): readonly { readonly checker: string; readonly bugs: readonly string[] }[] {
  const independent = record.results.map(({ name, checkers }) => ({
    name,
    checkers: checkers.filter(({ checker }) => checker !== AGREEMENT),
  }));
  return reportedCheckers(record)
    .filter((checker) => checker !== AGREEMENT)
    .map((checker) => ({
      checker,
      bugs: independent
        .filter((bug) => bug.checkers.length === 1 && bug.checkers[0]?.checker === checker)
        .map(({ name }) => name),
    }));
}

/** The totals in one sentence, without its full stop. */
export function seededBugsSentence(record: SeededBugRecord): string {
  const { results, baseline, elapsedMs, allCheckers } = record;
  const count = (outcome: SeededBugEntry["outcome"]) =>
    results.filter((result) => result.outcome === outcome).length;
  const detectable = results.filter(({ checker }) => checker !== null).length;
  const equivalent = results.length - detectable;
  const alarms = baseline.filter(({ verdict }) => verdict === "fail").length;
  const replayed = results.flatMap(({ replays }) => replays ?? []);
  const exact = replayed.filter(({ identical, of }) => identical === of).length;
  return [
    `${formatNumber(count("caught"))} of ${formatNumber(detectable)} seeded bugs caught`,
    ...(replayed.length > 0
      ? [`${exact} of ${replayed.length} counterexamples replay exactly`]
      : []),
    ...(equivalent > 0
      ? [`no violation in ${count("equivalent")} of ${equivalent} equivalent bugs`]
      : []),
    ...(baseline.length > 0
      ? [
          `the service without a bug: ${alarms === 0 ? "no violation" : "VIOLATION (a false alarm)"}`,
        ]
      : []),
    `${duration(elapsedMs)}${allCheckers ? ", each search to the end of its budget" : ""}`,
  ].join("; ");
}

const COLUMNS = [
  { title: "Seeded bug" },
  { title: "Outcome" },
  { title: "Checker" },
  { title: "Executions", kind: "number" },
  { title: "Time", kind: "number" },
  { title: "Operations", kind: "number" },
  { title: "Clients", kind: "number" },
  { title: "Preemptions", kind: "number" },
  { title: "Faults", kind: "number" },
  { title: "Replays", kind: "number" },
] as const;

/** The output of `heddle mutants`: the table, remarks on single bugs, and the totals. */
export function seededBugsText(record: SeededBugRecord, colour: boolean): string {
  const colours = coloursFor(colour);
  const { results, baseline, allCheckers, verdict } = record;
  const table = tableLines(COLUMNS, results.map(seededBugRow)).map((line, at) => {
    const result = results[at - 1];
    if (result === undefined) return colours("dim", line);
    return isExpected(result) ? line : colours("red", line);
  });
  const parts = [
    table,
    results.flatMap(remarks),
    allCheckers ? checkersTable(record) : [],
    baseline.map(baselineLine),
    [colours(verdict === "pass" ? "green" : "red", `${seededBugsSentence(record)}.`)],
  ];
  return parts
    .filter((part) => part.length > 0)
    .map((part) => `${part.join("\n")}\n`)
    .join("\n");
}

function seededBugRow(result: SeededBugEntry): readonly string[] {
  const { name, outcome, counterexample } = result;
  const { checker, executions, elapsedMs } = findingOf(result);
  const size =
    counterexample === null
      ? ["", "", "", ""]
      : [
          counterexample.operations,
          counterexample.clients,
          counterexample.preemptions,
          counterexample.faults,
        ].map(formatNumber);
  return [
    ...[name, outcome, checker, formatNumber(executions), duration(elapsedMs)],
    ...[...size, replayCell(result)],
  ];
}

function remarks({ name, equivalent, reason }: SeededBugEntry): string[] {
  return [
    ...(equivalent === null ? [] : [printable(`${name} is equivalent: ${equivalent}`)]),
    ...(reason === null ? [] : [printable(`${name}: ${reason}`)]),
  ];
}

function checkersTable(record: SeededBugRecord): string[] {
  const checkers = reportedCheckers(record);
  const columns = [
    { title: "Executions until found by" },
    ...checkers.map((title) => ({ title, kind: "number" as const })),
  ];
  const rows = record.results.map((result) => checkerRow(result, checkers));
  const only = bugsByOnlyChecker(record).map(
    ({ checker, bugs }) => `Found by ${checker} only: ${bugs.join(", ") || "none"}.`,
  );
  return [...tableLines(columns, rows), ...only];
}

function baselineLine(result: BaselineResult): string {
  const { gates, faults, verdict, executions, elapsedMs, reason } = result;
  const enabled = faults.length === 0 ? "" : `, faults ${faults.join(", ")}`;
  const why = reason === null ? "" : `: ${printable(reason)}`;
  return `The service without a bug, gates ${gates.join(", ")}${enabled}: ${verdict}, ${quantity(executions, "execution")} in ${duration(elapsedMs)}${why}`;
}
