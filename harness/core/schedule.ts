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
 * this is a choice only where one step has ended the waits of several.
 */
export type Action = "start" | "release" | "deliver" | "wake";

/** One of the moves that are possible at a step. A lane has at most one. */
export interface Choice {
  readonly lane: Lane;
  readonly action: Action;
}

/** Which lane moved at each step. Together with a scenario it determines an execution. */
export interface Schedule {
  readonly version: 1;
  readonly lanes: readonly Lane[];
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

/** `0*3 1 0*2`: readable, and shorter than a list. */
export function formatSchedule(schedule: Schedule): string {
  const runs: { lane: Lane; count: number }[] = [];
  for (const lane of schedule.lanes) {
    const last = runs.at(-1);
    if (last?.lane === lane) last.count++;
    else runs.push({ lane, count: 1 });
  }
  return runs.map((r) => (r.count === 1 ? r.lane : `${r.lane}*${r.count}`)).join(" ");
}

/** The inverse of `formatSchedule`. Returns undefined when `text` is not a schedule. */
export function parseSchedule(text: string): Schedule | undefined {
  const lanes: Lane[] = [];
  for (const run of text.split(" ").filter((part) => part !== "")) {
    const match = /^((?:bg|\d{1,4})(?:\.\d{1,4})?)(?:\*([1-9]\d{0,5}))?$/.exec(run);
    if (match?.[1] === undefined) return undefined;
    const lane = match[1];
    for (let left = Number(match[2] ?? 1); left > 0; left--) lanes.push(lane);
  }
  return { version: 1, lanes };
}
