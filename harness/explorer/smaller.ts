import type { Command } from "../core/command.ts";
import type { Execution } from "../core/execution.ts";
import type { Json } from "../core/json.ts";
import type { Scenario } from "../core/scenario.ts";
import { clientOf, type Entry, entryOf, laneOf, partsOf, type Schedule } from "../core/schedule.ts";

/** Something smaller than an execution that may fail as well. */
export interface Candidate<State extends Json, C extends Command> {
  readonly scenario: Scenario<State, C>;
  /** The order that is left of the execution's. */
  readonly schedule: Schedule;
}

/** The scenario without one of its clients, then without one of its commands. */
export function* withLessCommands<State extends Json, C extends Command>(
  execution: Execution<State, C>,
): Generator<Candidate<State, C>> {
  const { initial, clients } = execution.scenario;
  for (const [gone] of clients.entries()) {
    if (clients.length === 1) break;
    yield {
      scenario: { initial, clients: clients.filter((_, client) => client !== gone) },
      schedule: scheduleOf(execution.schedule.lanes.flatMap((lane) => renamed(lane, gone))),
    };
  }
  for (const [client, commands] of clients.entries()) {
    if (commands.length === 1) continue;
    for (const [gone] of commands.entries()) {
      const left = commands.filter((_, index) => index !== gone);
      yield {
        scenario: { initial, clients: clients.with(client, left) },
        schedule: withoutCommand(execution, client, gone),
      };
    }
  }
}

/** The entry when client `gone` is taken away: the clients behind it move up. */
function renamed(entry: Entry, gone: number): Entry[] {
  const client = clientOf(entry);
  if (client === gone) return [];
  if (client < gone) return [entry];
  const { lane, fault } = partsOf(entry);
  const moved = laneOf(client - 1, Number(lane.split(".")[1] ?? 0));
  return [fault === undefined ? moved : entryOf({ lane: moved, action: fault })];
}

/** The schedule without the steps of one command: from its start to the client's next one. */
function withoutCommand(execution: Execution, client: number, gone: number): Schedule {
  let index = -1;
  const lanes = execution.trace.flatMap((event) => {
    if (event.type !== "move") return [];
    const entry = entryOf(event.choice);
    if (clientOf(entry) !== client) return entry;
    if (event.choice.action === "start") index++;
    return index === gone ? [] : entry;
  });
  return scheduleOf(lanes);
}

/** The same scenario without one of the faults: its lane goes on instead, or nothing does. */
export function* withLessFaults<State extends Json, C extends Command>({
  scenario,
  schedule: { lanes },
}: Execution<State, C>): Generator<Candidate<State, C>> {
  for (const [at, entry] of lanes.entries()) {
    const { lane, fault } = partsOf(entry);
    if (fault === undefined) continue;
    yield { scenario, schedule: scheduleOf(lanes.with(at, lane)) };
    yield { scenario, schedule: scheduleOf(lanes.toSpliced(at, 1)) };
  }
}

/**
 * The same scenario with fewer switches: one stretch of a lane is moved to the lane's stretch
 * before it, or that one to it.
 */
export function* withLessSwitches<State extends Json, C extends Command>({
  scenario,
  schedule,
}: Execution<State, C>): Generator<Candidate<State, C>> {
  const stretches = stretchesOf(schedule.lanes);
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
      const lanes = stretches.flatMap(({ entry }, at) => Array<Entry>(moved[at] ?? 0).fill(entry));
      yield { scenario, schedule: scheduleOf(lanes) };
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

function scheduleOf(lanes: readonly Entry[]): Schedule {
  return { version: 1, lanes };
}
