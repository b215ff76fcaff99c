import { type Fault, isFault } from "./fault.ts";

/**
 * Who moves. `"0"` is client 0; `"0.1"` is the second statement that client 0 has under way at the
 * same time (each connection is a lane of its own); `"bg"` is a statement that arrived while no
 * client was running, such as a pool's own check.
 */
export type Lane = string;

export const BACKGROUND: Lane = "bg";

/** The client that a lane belongs to; -1 for the background. */
export function clientOf(lane: Lane): number {
  return lane.startsWith(BACKGROUND) ? -1 : Number.parseInt(lane, 10);
}

export function laneOf(client: number, ordinal: number): Lane {
  const name = client < 0 ? BACKGROUND : String(client);
  return ordinal === 0 ? name : `${name}.${ordinal}`;
}

/**
 * What a lane does when it is chosen. `start`: the client sends its next command. `release`: the
 * statement held at a gate goes to the server. `deliver`: an answer that was held, since another
 * client was running when it came, goes to the service. `wake`: a statement that waited goes on;
 * this is a choice only where one step has ended the waits of several. Or a fault strikes it.
 */
export type Action = "start" | "release" | "deliver" | "wake" | Fault;

/** One of the moves that are possible at a step. A lane has at most one that is no fault. */
export interface Choice {
  readonly lane: Lane;
  readonly action: Action;
}

/** A step as it is written down: a lane that moves, or `0!cut-after` for a fault that strikes it. */
export type Entry = string;

export function entryOf({ lane, action }: Choice): Entry {
  return isFault(action) ? `${lane}!${action}` : lane;
}

/** The lane, and the fault if there is one. The entry has to be one. */
export function partsOf(entry: Entry): { readonly lane: Lane; readonly fault: Fault | undefined } {
  const [lane = entry, fault] = entry.split("!");
  return { lane, fault: fault !== undefined && isFault(fault) ? fault : undefined };
}

/** The kinds of faults that strike in it. */
export function faultsIn({ lanes }: Schedule): readonly Fault[] {
  return [...new Set(lanes.flatMap((entry) => partsOf(entry).fault ?? []))];
}

/** Who moved at each step. Together with a scenario it determines an execution. */
export interface Schedule {
  readonly version: 1;
  readonly lanes: readonly Entry[];
}

/**
 * Whether choosing `chosen` leaves a client that could have gone on. A client between two of its
 * commands is not left in the middle of anything; so every order of whole commands, and only
 * those, has no preemption.
 */
export function isPreemption(
  previous: Lane | undefined,
  chosen: Lane,
  enabled: readonly Choice[],
): boolean {
  if (previous === undefined) return false;
  const client = clientOf(previous);
  if (clientOf(chosen) === client) return false;
  return enabled.some((c) => clientOf(c.lane) === client && c.action !== "start");
}

/** `0*3 1 0!cut-after 0*2`: readable, and shorter than a list. */
export function formatSchedule(schedule: Schedule): string {
  const runs: { entry: Entry; count: number }[] = [];
  for (const entry of schedule.lanes) {
    const last = runs.at(-1);
    if (last?.entry === entry) last.count++;
    else runs.push({ entry, count: 1 });
  }
  return runs.map((r) => (r.count === 1 ? r.entry : `${r.entry}*${r.count}`)).join(" ");
}

/** The inverse of `formatSchedule`. Returns undefined when `text` is not a schedule. */
export function parseSchedule(text: string): Schedule | undefined {
  const lanes: Entry[] = [];
  for (const run of text.split(" ").filter((part) => part !== "")) {
    const match = /^((?:bg|\d{1,4})(?:\.\d{1,4})?(?:!([a-z-]+))?)(?:\*([1-9]\d{0,5}))?$/.exec(run);
    const [, entry, fault, count = "1"] = match ?? [];
    if (entry === undefined || (fault !== undefined && !isFault(fault))) return undefined;
    for (let left = Number(count); left > 0; left--) lanes.push(entry);
  }
  return { version: 1, lanes };
}
