import type { CheckerFinding } from "../mutation/seeded-bugs.ts";
import { duration, number } from "./counted.ts";
import type { SeededBugEntry, SeededBugRecord } from "./seeded-record.ts";

/** The columns of the table of seeded bugs, by title; those with numbers stand to the right. */
export const SEEDED_BUG_COLUMNS = [
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

/** A row of the table. `Executions` and `Time` are those until the checker found it. */
export function seededBugRow(result: SeededBugEntry): readonly string[] {
  const { name, outcome, counterexample } = result;
  const { checker, executions, elapsedMs } = foundOf(result);
  return [
    name,
    outcome,
    checker,
    number(executions),
    duration(elapsedMs),
    ...(counterexample === null
      ? ["", "", "", ""]
      : [
          number(counterexample.operations),
          number(counterexample.clients),
          number(counterexample.preemptions),
          number(counterexample.faults),
        ]),
    replaysOf(result),
  ];
}

/** Which checker found it and when: the one that must, or the first; else what was asked for. */
export function foundOf({
  checker,
  checkers,
  executions,
  elapsedMs,
}: SeededBugEntry): CheckerFinding {
  const found = checkers.find((first) => first.checker === checker) ?? checkers[0];
  return found ?? { checker: checker ?? "", executions, elapsedMs };
}

/** `20/20`; empty where nothing was found. */
export function replaysOf({ counterexample, replays }: SeededBugEntry): string {
  return counterexample === null || replays === null ? "" : `${replays.identical}/${replays.of}`;
}

/** Every checker that found something, in alphabetical order. */
export function checkersOfReport({ results }: SeededBugRecord): readonly string[] {
  return [
    ...new Set(results.flatMap(({ checkers }) => checkers.map(({ checker }) => checker))),
  ].sort();
}

/** When each checker found a bug, if it checked alone: the executions until then. */
export function checkerRow(result: SeededBugEntry, checkers: readonly string[]): readonly string[] {
  const cells = checkers.map((name) => {
    const found = result.checkers.find(({ checker }) => checker === name);
    return found === undefined ? "" : number(found.executions);
  });
  return [result.name, ...cells];
}

/**
 * The bugs that one checker catches, and no other. That the model and the service disagree is a comparison
 * of two of them.
 */
export function onlyBy({ results }: SeededBugRecord, checker: string): readonly string[] {
  return results
    .filter(({ checkers }) => {
      const own = checkers.filter((found) => found.checker !== "agreement");
      return own.length === 1 && own[0]?.checker === checker;
    })
    .map(({ name }) => name);
}

/** Those that checker by themselves. */
export function independentCheckers(report: SeededBugRecord): readonly string[] {
  return checkersOfReport(report).filter((checker) => checker !== "agreement");
}

/** All of it in one sentence. */
export function seededBugsSentence({
  results,
  unmutated,
  elapsedMs,
  allCheckers,
}: SeededBugRecord): string {
  const count = (outcome: SeededBugEntry["outcome"]) =>
    results.filter((result) => result.outcome === outcome).length;
  const detectable = results.filter(({ checker }) => checker !== null).length;
  const equivalent = results.length - detectable;
  const alarms = unmutated.filter(({ verdict }) => verdict === "fail").length;
  const replayed = results.flatMap(({ replays }) => replays ?? []);
  const exact = replayed.filter(({ identical, of }) => identical === of).length;
  return [
    `${number(count("caught"))} of ${number(detectable)} seeded bugs caught`,
    ...(replayed.length > 0
      ? [`${exact} of ${replayed.length} counterexamples replay exactly`]
      : []),
    ...(equivalent > 0 ? [`${count("untold")} of ${equivalent} equivalent ones left alone`] : []),
    ...(unmutated.length > 0
      ? [`the service without a bug: ${alarms === 0 ? "no alarm" : "FALSE ALARM"}`]
      : []),
    `${duration(elapsedMs)}${allCheckers ? ", each to the end of its budget" : ""}`,
  ].join("; ");
}
