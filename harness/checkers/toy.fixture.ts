import type { Execution } from "../core/execution.ts";
import { type Fault, isFault } from "../core/fault.ts";
import type { Operation } from "../core/operation.ts";
import type { Scenario } from "../core/scenario.ts";
import { type Choice, type Entry, entryOf, isPreemption } from "../core/schedule.ts";
import type { TraceEvent } from "../core/trace.ts";
import type { Invariant } from "../core/verdict.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";

/** `increment` reads the counter, and then writes one more than it read; `look` only reads. */
export type Toy = Operation & { readonly name: "increment" | "look" };
export type ToyScenario = Scenario<number, Toy>;
export type ToyExecution = Execution<number, Toy>;

export const increment: Toy = { name: "increment" };
export const look: Toy = { name: "look" };

const PROGRAMS = { increment: ["read", "write"], look: ["read"] } as const;

/**
 * Executes a scenario on a counter without transactions, and without a database. A fault, of whichever
 * kind, suppresses a statement and ends the operation.
 */
export function executeToy(
  scenario: ToyScenario,
  scheduler: Scheduler,
  kinds: readonly Fault[] = ["cut-before"],
): ToyExecution {
  let value = scenario.initial;
  const trace: TraceEvent<Toy>[] = [];
  const entries: Entry[] = [];
  const clients = scenario.clients.map((operations) => ({
    operations,
    next: 0,
    step: -1,
    seen: 0,
  }));
  for (;;) {
    const enabled = clients.flatMap(({ operations, next, step }, client): Choice[] =>
      next === operations.length
        ? []
        : [{ task: String(client), action: step < 0 ? "start" : "release" }],
    );
    if (enabled.length === 0) break;
    const faults = enabled.flatMap(({ task, action }): Choice[] =>
      action === "release" ? kinds.map((kind) => ({ task, action: kind })) : [],
    );
    const choice = scheduler.inject?.(faults, enabled) ?? scheduler.choose(enabled, entries.at(-1));
    const preemption = isPreemption(entries.at(-1), choice.task, enabled);
    trace.push({ type: "move", choice, enabled, preemption });
    entries.push(entryOf(choice));
    const number = Number(choice.task);
    const client = clients[number];
    const operation = client?.operations[client.next];
    if (client === undefined || operation === undefined) throw new Error("no such task");
    const index = client.next;
    if (client.step < 0) trace.push({ type: "invoke", client: number, index, operation });
    if (isFault(choice.action)) {
      trace.push({ type: "fault", task: choice.task, fault: choice.action });
      client.step = PROGRAMS[operation.name].length;
    }
    const sql = PROGRAMS[operation.name][client.step];
    if (sql !== undefined) {
      trace.push({ type: "statement", task: choice.task, statement: { sql, values: [] } });
    }
    if (sql === "read") client.seen = value;
    if (sql === "write") value = client.seen + 1;
    client.step++;
    if (client.step < PROGRAMS[operation.name].length) continue;
    const outcome = isFault(choice.action) ? "info" : "ok";
    const response = { outcome, code: "OK", body: client.seen } as const;
    trace.push({ type: "return", client: number, index, response });
    client.step = -1;
    client.next++;
  }
  return {
    scenario,
    schedule: { version: 1, entries },
    trace,
    completion: { type: "complete" },
    openTransactions: 0,
    snapshot: { counter: [{ value, expected: scenario.initial + incrementsOf(scenario) }] },
    contents: undefined,
  };
}

export function incrementsOf({ clients }: ToyScenario): number {
  return clients.flat().filter(({ name }) => name === "increment").length;
}

export const lostUpdate: Invariant = {
  name: "no-lost-update",
  description: "Every increment counts.",
  check: ({ counter }) =>
    (counter ?? [])
      .filter(({ value, expected }) => value !== expected)
      .map((row) => ({
        checker: "invariant",
        name: "no-lost-update",
        message: "an increment is lost",
        evidence: [row],
      })),
};
