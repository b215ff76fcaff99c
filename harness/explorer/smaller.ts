import type { Command } from "../core/command.ts";
import type { Execution } from "../core/execution.ts";
import type { Json } from "../core/json.ts";
import type { Scenario } from "../core/scenario.ts";
import { clientOf, type Lane, laneOf, type Schedule } from "../core/schedule.ts";

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

/** The lane when client `gone` is taken away: the clients behind it move up. */
function renamed(lane: Lane, gone: number): Lane[] {
  const client = clientOf(lane);
  if (client === gone) return [];
  return client < gone ? [lane] : [laneOf(client - 1, Number(lane.split(".")[1] ?? 0))];
}

/** The schedule without the steps of one command: from its start to the client's next one. */
function withoutCommand(execution: Execution, client: number, gone: number): Schedule {
  let index = -1;
  const lanes = execution.trace.flatMap((event) => {
    if (event.type !== "move") return [];
    const { lane, action } = event.choice;
    if (clientOf(lane) !== client) return lane;
    if (action === "start") index++;
    return index === gone ? [] : lane;
  });
  return scheduleOf(lanes);
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
  for (const [later, { lane }] of stretches.entries()) {
    const earlier = stretches.slice(0, later).findLastIndex((other) => other.lane === lane);
    if (earlier < 0) continue;
    for (const [from, to] of [
      [later, earlier],
      [earlier, later],
    ] as const) {
      const moved = stretches.map(({ length }, at) =>
        at === to ? length + (stretches[from]?.length ?? 0) : at === from ? 0 : length,
      );
      const lanes = stretches.flatMap((stretch, at) => Array(moved[at]).fill(stretch.lane));
      yield { scenario, schedule: scheduleOf(lanes) };
    }
  }
}

function stretchesOf(lanes: readonly Lane[]): { readonly lane: Lane; readonly length: number }[] {
  const stretches: { lane: Lane; length: number }[] = [];
  for (const lane of lanes) {
    const last = stretches.at(-1);
    if (last?.lane === lane) last.length++;
    else stretches.push({ lane, length: 1 });
  }
  return stretches;
}

function scheduleOf(lanes: readonly Lane[]): Schedule {
  return { version: 1, lanes };
}
