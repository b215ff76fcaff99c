import type { Execution } from "../core/execution.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Scenario } from "../core/scenario.ts";
import { clientOf, type Entry, entryOf, partsOf, type Schedule, taskOf } from "../core/schedule.ts";

/** Something smaller than an execution that may fail as well. */
export interface Candidate<State extends Json, Op extends Operation> {
  readonly scenario: Scenario<State, Op>;
  /** The order that is left of the execution's. */
  readonly schedule: Schedule;
}

/** The scenario without one of its clients, then without one of its operations. */
export function* withLessOperations<State extends Json, Op extends Operation>(
  execution: Execution<State, Op>,
): Generator<Candidate<State, Op>> {
  const { initial, clients } = execution.scenario;
  for (const [gone] of clients.entries()) {
    if (clients.length === 1) break;
    yield {
      scenario: { initial, clients: clients.filter((_, client) => client !== gone) },
      schedule: scheduleOf(execution.schedule.entries.flatMap((task) => renamed(task, gone))),
    };
  }
  for (const [client, operations] of clients.entries()) {
    if (operations.length === 1) continue;
    for (const [gone] of operations.entries()) {
      const left = operations.filter((_, index) => index !== gone);
      yield {
        scenario: { initial, clients: clients.with(client, left) },
        schedule: withoutOperation(execution, client, gone),
      };
    }
  }
}

/** The entry when client `gone` is taken away: the clients behind it move up. */
function renamed(entry: Entry, gone: number): Entry[] {
  const client = clientOf(entry);
  if (client === gone) return [];
  if (client < gone) return [entry];
  const { task, fault } = partsOf(entry);
  const moved = taskOf(client - 1, Number(task.split(".")[1] ?? 0));
  return [fault === undefined ? moved : entryOf({ task: moved, action: fault })];
}

/** The schedule without the steps of one operation: from its start to the client's next one. */
function withoutOperation(execution: Execution, client: number, gone: number): Schedule {
  let index = -1;
  const entries = execution.trace.flatMap((event) => {
    if (event.type !== "move") return [];
    const entry = entryOf(event.choice);
    if (clientOf(entry) !== client) return entry;
    if (event.choice.action === "start") index++;
    return index === gone ? [] : entry;
  });
  return scheduleOf(entries);
}

/** The same scenario without one of the faults: its task goes on instead, or nothing does. */
export function* withLessFaults<State extends Json, Op extends Operation>({
  scenario,
  schedule: { entries },
}: Execution<State, Op>): Generator<Candidate<State, Op>> {
  for (const [at, entry] of entries.entries()) {
    const { task, fault } = partsOf(entry);
    if (fault === undefined) continue;
    yield { scenario, schedule: scheduleOf(entries.with(at, task)) };
    yield { scenario, schedule: scheduleOf(entries.toSpliced(at, 1)) };
  }
}

/**
 * The same scenario with fewer switches: one stretch of a task is moved to the task's stretch
 * before it, or that one to it.
 */
export function* withLessSwitches<State extends Json, Op extends Operation>({
  scenario,
  schedule,
}: Execution<State, Op>): Generator<Candidate<State, Op>> {
  const stretches = stretchesOf(schedule.entries);
  for (const [later, { entry }] of stretches.entries()) {
    const earlier = stretches.slice(0, later).findLastIndex((other) => other.entry === entry);
    if (earlier < 0) continue;
    for (const [from, to] of [
      [later, earlier],
      [earlier, later],
    ] as const) {
      const moved = stretches.map(({ length }, at) =>
        at === to ? length + (stretches[from]?.length ?? 0) : at === from ? 0 : length,
      );
      const entries = stretches.flatMap(({ entry }, at) =>
        Array<Entry>(moved[at] ?? 0).fill(entry),
      );
      yield { scenario, schedule: scheduleOf(entries) };
    }
  }
}

function stretchesOf(
  entries: readonly Entry[],
): { readonly entry: Entry; readonly length: number }[] {
  const stretches: { entry: Entry; length: number }[] = [];
  for (const entry of entries) {
    const last = stretches.at(-1);
    if (last?.entry === entry) last.length++;
    else stretches.push({ entry, length: 1 });
  }
  return stretches;
}

function scheduleOf(entries: readonly Entry[]): Schedule {
  return { version: 1, entries };
}
