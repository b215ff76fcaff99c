import type { Execution } from "../core/execution.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Scenario } from "../core/scenario.ts";
import {
  clientOf,
  type Entry,
  entryOf,
  parseEntry,
  type Schedule,
  taskOf,
} from "../core/schedule.ts";
import type { Removal } from "./argument-shrinking.ts";

/** A scenario and a schedule that are smaller than an execution's, and may fail as well. */
export interface Candidate<State extends Json, Op extends Operation> {
  readonly scenario: Scenario<State, Op>;
  /** The rest of the execution's schedule. */
  readonly schedule: Schedule;
}

/** A candidate with fewer operations, and how they are taken away from a scenario of that shape. */
export interface SmallerScenario<State extends Json, Op extends Operation>
  extends Candidate<State, Op> {
  readonly removal: Removal<State, Op>;
}

/** The scenario without one of its clients, then without one of its operations. */
export function* withFewerOperations<State extends Json, Op extends Operation>(
  execution: Execution<State, Op>,
): Generator<SmallerScenario<State, Op>> {
  const { scenario, schedule } = execution;
  const { clients } = scenario;
  for (const [removed] of clients.entries()) {
    if (clients.length === 1) break;
    const removal: Removal<State, Op> = ({ initial, clients }) => ({
      initial,
      clients: clients.filter((_, client) => client !== removed),
    });
    yield {
      scenario: removal(scenario),
      schedule: scheduleOf(schedule.entries.flatMap((entry) => renumbered(entry, removed))),
      removal,
    };
  }
  for (const [changed, operations] of clients.entries()) {
    if (operations.length === 1) continue;
    for (const [removed] of operations.entries()) {
      const removal: Removal<State, Op> = ({ initial, clients }) => ({
        initial,
        clients: clients.map((operations, client) =>
          client === changed ? operations.filter((_, index) => index !== removed) : operations,
        ),
      });
      yield {
        scenario: removal(scenario),
        schedule: withoutOperation(execution, changed, removed),
        removal,
      };
    }
  }
}

/** The entry once client `removed` is taken away: the clients after it move up. */
function renumbered(entry: Entry, removed: number): Entry[] {
  const client = clientOf(entry);
  if (client === removed) return [];
  if (client < removed) return [entry];
  const { task, fault } = parseEntry(entry);
  const moved = taskOf(client - 1, Number(task.split(".")[1] ?? 0));
  return [fault === undefined ? moved : entryOf({ task: moved, action: fault })];
}

/** The schedule without the steps of one operation: from its start to the client's next start. */
function withoutOperation(execution: Execution, client: number, removed: number): Schedule {
  let index = -1;
  const entries = execution.trace.flatMap((event) => {
    if (event.type !== "move") return [];
    const entry = entryOf(event.choice);
    if (clientOf(entry) !== client) return entry;
    if (event.choice.action === "start") index++;
    return index === removed ? [] : entry;
  });
  return scheduleOf(entries);
}

/** The same scenario without one of the faults: its task continues instead, or the step is left out. */
export function* withFewerFaults<State extends Json, Op extends Operation>({
  scenario,
  schedule: { entries },
}: Execution<State, Op>): Generator<Candidate<State, Op>> {
  for (const [at, entry] of entries.entries()) {
    const { task, fault } = parseEntry(entry);
    if (fault === undefined) continue;
    yield { scenario, schedule: scheduleOf(entries.with(at, task)) };
    yield { scenario, schedule: scheduleOf(entries.toSpliced(at, 1)) };
  }
}

/**
 * The same scenario with fewer switches between tasks: one stretch of a task moves to the previous
 * stretch of that task, or the previous one moves to it.
 */
export function* withFewerSwitches<State extends Json, Op extends Operation>({
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
