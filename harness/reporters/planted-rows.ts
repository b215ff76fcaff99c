import type { JudgedFirst } from "../core/planted.ts";
import { duration, number } from "./counted.ts";
import type { PlantedEntry, PlantedRecord } from "./planted-record.ts";

/** The columns of the table of planted bugs, by title; those with numbers stand to the right. */
export const PLANTED_COLUMNS = [
  { title: "Planted bug" },
  { title: "Outcome" },
  { title: "Judge" },
  { title: "Executions", kind: "number" },
  { title: "Time", kind: "number" },
  { title: "Commands", kind: "number" },
  { title: "Clients", kind: "number" },
  { title: "Preemptions", kind: "number" },
  { title: "Faults", kind: "number" },
  { title: "Replays", kind: "number" },
] as const;

/** A row of the table. `Executions` and `Time` are those until the judge found it. */
export function plantedRow(result: PlantedEntry): readonly string[] {
  const { name, outcome, counterexample } = result;
  const { judge, executions, elapsedMs } = foundOf(result);
  return [
    name,
    outcome,
    judge,
    number(executions),
    duration(elapsedMs),
    ...(counterexample === null
      ? ["", "", "", ""]
      : [
          number(counterexample.commands),
          number(counterexample.clients),
          number(counterexample.preemptions),
          number(counterexample.faults),
        ]),
    replaysOf(result),
  ];
}

/** Which judge found it and when: the one that must, or the first; else what was asked for. */
export function foundOf({ judge, judges, executions, elapsedMs }: PlantedEntry): JudgedFirst {
  const found = judges.find((first) => first.judge === judge) ?? judges[0];
  return found ?? { judge: judge ?? "", executions, elapsedMs };
}

/** `20/20`; empty where nothing was found. */
export function replaysOf({ counterexample, replays }: PlantedEntry): string {
  return counterexample === null || replays === null ? "" : `${replays.identical}/${replays.of}`;
}

/** Every judge that found something, in alphabetical order. */
export function judgesOfReport({ results }: PlantedRecord): readonly string[] {
  return [...new Set(results.flatMap(({ judges }) => judges.map(({ judge }) => judge)))].sort();
}

/** When each judge found a bug, if it judged alone: the executions until then. */
export function judgedRow(result: PlantedEntry, judges: readonly string[]): readonly string[] {
  const cells = judges.map((name) => {
    const found = result.judges.find(({ judge }) => judge === name);
    return found === undefined ? "" : number(found.executions);
  });
  return [result.name, ...cells];
}

/**
 * The bugs that one judge catches, and no other. That the model and the service disagree is a comparison
 * of two of them.
 */
export function onlyBy({ results }: PlantedRecord, judge: string): readonly string[] {
  return results
    .filter(({ judges }) => {
      const own = judges.filter((found) => found.judge !== "agreement");
      return own.length === 1 && own[0]?.judge === judge;
    })
    .map(({ name }) => name);
}

/** Those that judge by themselves. */
export function independentJudges(report: PlantedRecord): readonly string[] {
  return judgesOfReport(report).filter((judge) => judge !== "agreement");
}

/** All of it in one sentence. */
export function plantedSentence({
  results,
  unmutated,
  elapsedMs,
  allJudges,
}: PlantedRecord): string {
  const count = (outcome: PlantedEntry["outcome"]) =>
    results.filter((result) => result.outcome === outcome).length;
  const detectable = results.filter(({ judge }) => judge !== null).length;
  const equivalent = results.length - detectable;
  const alarms = unmutated.filter(({ verdict }) => verdict === "fail").length;
  const replayed = results.flatMap(({ replays }) => replays ?? []);
  const exact = replayed.filter(({ identical, of }) => identical === of).length;
  return [
    `${number(count("caught"))} of ${number(detectable)} planted bugs caught`,
    ...(replayed.length > 0
      ? [`${exact} of ${replayed.length} counterexamples replay exactly`]
      : []),
    ...(equivalent > 0 ? [`${count("untold")} of ${equivalent} equivalent ones left alone`] : []),
    ...(unmutated.length > 0
      ? [`the service as shipped: ${alarms === 0 ? "no alarm" : "FALSE ALARM"}`]
      : []),
    `${duration(elapsedMs)}${allJudges ? ", each to the end of its budget" : ""}`,
  ].join("; ");
}
