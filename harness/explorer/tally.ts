import type { CheckResult } from "../checkers/checker.ts";
import { type Execution, historyOf } from "../core/execution.ts";
import type { Fault } from "../core/fault.ts";
import { calls } from "../core/history.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Scenario } from "../core/scenario.ts";
import { clientOf } from "../core/schedule.ts";
import { beginsStep } from "../core/trace.ts";
import type { Violation } from "../core/verdict.ts";
import type { Service } from "../service/service.ts";

/** Numbers by name, nested to any depth. */
type Counts = { readonly [name: string]: number | Counts };

/** The counts of a campaign or of a part of one: a plain value. */
export type Tally = {
  readonly scenarios: number;
  /** Those among `scenarios` that are pairs of the service, and not generated. */
  readonly visitedPairs: number;
  readonly executions: number;
  /** Executions that checkers made for comparison. */
  readonly compared: number;
  /** Executions that broke a rule. */
  readonly violations: number;
  /** Executions that could not be checked completely. */
  readonly undecided: number;
  readonly steps: number;
  readonly preemptions: number;
  readonly waits: number;
  readonly deadlocks: number;
  /** Injected faults by kind. */
  readonly faults: { readonly [fault: string]: number };
  /** Executions by the kind of fault that they had a place for. */
  readonly faultPlaces: { readonly [fault: string]: number };
  /** Executions by the names of their operations, such as `cancel + create`. */
  readonly mixes: { readonly [operations: string]: number };
  /** Executions by the number of waits for a lock: `0`, `1`, `2`, `3 or more`. */
  readonly executionsByWaits: { readonly [waits: string]: number };
  /** Executions by the number of clients. */
  readonly executionsByClients: { readonly [clients: string]: number };
  /** Responses by operation, then by response code. */
  readonly responses: { readonly [operation: string]: { readonly [code: string]: number } };
  /** Statements that reached the gate, by the operation that sent them. */
  readonly statements: { readonly [operation: string]: number };
  /** Scenarios by the pattern that they match. */
  readonly patterns: { readonly [name: string]: number };
  /** Executions by the rule that they broke (see `keyOf`). */
  readonly violated: { readonly [rule: string]: number };
  /** Executions by the rule that did not apply to them. */
  readonly unchecked: { readonly [rule: string]: number };
};

export const EMPTY_TALLY: Tally = {
  scenarios: 0,
  visitedPairs: 0,
  executions: 0,
  compared: 0,
  violations: 0,
  undecided: 0,
  steps: 0,
  preemptions: 0,
  waits: 0,
  deadlocks: 0,
  faults: {},
  faultPlaces: {},
  mixes: {},
  executionsByWaits: {},
  executionsByClients: {},
  responses: {},
  statements: {},
  patterns: {},
  violated: {},
  unchecked: {},
};

export function tallyOfScenario<State extends Json, Op extends Operation>(
  scenario: Scenario<State, Op>,
  patterns: Service<State, Op>["patterns"],
): Tally {
  const matching = patterns.filter((pattern) => pattern.matches(scenario));
  return {
    ...EMPTY_TALLY,
    scenarios: 1,
    patterns: Object.fromEntries(matching.map(({ name }) => [name, 1])),
  };
}

/** The tally of a pair of operations: the shares of patterns concern generated scenarios only. */
export function tallyOfPair(): Tally {
  return { ...EMPTY_TALLY, scenarios: 1, visitedPairs: 1 };
}

/**
 * @param compared the number of executions that the checkers made for comparison
 * @param places the kinds of faults that could have been injected
 */
export function tallyOfExecution(
  { scenario, trace }: Execution,
  { violations, undecided, unchecked = [] }: CheckResult,
  compared: number,
  places: Iterable<Fault> = [],
): Tally {
  const moves = trace.filter((event) => event.type === "move");
  const waits = trace.filter(({ type }) => type === "wait").length;
  // A client that sends again does so in the move; any other fault has an event of its own.
  const faults = trace.flatMap((event) => {
    if (event.type === "fault") return event.fault;
    return event.type === "move" && event.choice.action === "retry" ? "retry" : [];
  });
  const responses = calls(historyOf(trace)).map(({ operation, response }) => ({
    [operation.name]: { [response?.code ?? "(no answer)"]: 1 },
  }));
  return {
    ...EMPTY_TALLY,
    executions: 1,
    compared,
    violations: violations.length > 0 ? 1 : 0,
    undecided: undecided === undefined ? 0 : 1,
    steps: trace.filter(beginsStep).length,
    preemptions: moves.filter(({ preemption }) => preemption).length,
    waits,
    deadlocks: trace.filter(
      (event) => event.type === "result" && event.result.error?.sqlstate === "40P01",
    ).length,
    faults: faults.map((fault) => ({ [fault]: 1 })).reduce<Tally["faults"]>(sumCounts, {}),
    faultPlaces: Object.fromEntries([...places].map((fault) => [fault, 1])),
    mixes: { [mixOf(scenario)]: 1 },
    executionsByWaits: { [waits < 3 ? waits : "3 or more"]: 1 },
    executionsByClients: { [scenario.clients.length]: 1 },
    responses: responses.reduce(sumCounts, {}),
    statements: statementsOf(trace),
    violated: Object.fromEntries(violations.map((violation) => [keyOf(violation), 1])),
    unchecked: Object.fromEntries(unchecked.map((rule) => [keyOf(rule), 1])),
  };
}

function statementsOf(trace: Execution["trace"]): Tally["statements"] {
  const running: string[] = [];
  const counts: { [operation: string]: number } = {};
  for (const event of trace) {
    if (event.type === "invoke") running[event.client] = event.operation.name;
    if (event.type !== "statement") continue;
    const name = running[clientOf(event.task)];
    if (name !== undefined) counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

function mixOf({ clients }: Scenario): string {
  const names = new Set(clients.flat().map(({ name }) => name));
  return [...names].sort().join(" + ");
}

/** The sum of two counts, name by name. Names keep the order of their first appearance. */
export function sumCounts<T extends Counts>(a: T, b: T): T {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return Object.fromEntries([...names].map((name) => [name, added(a[name], b[name])])) as T;
}

function added(a: number | Counts = 0, b: number | Counts = 0): number | Counts {
  if (typeof a === "number" && typeof b === "number") return a + b;
  return sumCounts(typeof a === "number" ? {} : a, typeof b === "number" ? {} : b);
}

/**
 * Adds a part to a total in place. The total of a campaign grows with each scenario: copying it would
 * take longer each time.
 */
export function addToTally(total: Tally, part: Tally): void {
  count(total as Counting, part);
}

type Counting = { [name: string]: number | Counting };

function count(total: Counting, part: Counts): void {
  for (const [name, counted] of Object.entries(part)) {
    const before = total[name];
    if (typeof counted === "number") {
      total[name] = (typeof before === "number" ? before : 0) + counted;
    } else {
      const deeper = typeof before === "object" ? before : {};
      total[name] = deeper;
      count(deeper, counted);
    }
  }
}

/** Two checkers may have rules of the same name. */
export function keyOf({ checker, name }: Pick<Violation, "checker" | "name">): string {
  return `${checker}/${name}`;
}
