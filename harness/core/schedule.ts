import { type Fault, isFault } from "./fault.ts";

/**
 * The unit of scheduling. `"0"` is client 0; `"0.1"` is the second statement that client 0 has under
 * way at the same time (each connection is a task of its own); `"bg"` is a statement that arrived
 * while no client was running, such as a check by a connection pool.
 */
export type Task = string;

export const BACKGROUND: Task = "bg";

/** The client that a task belongs to; -1 for the background. */
export function clientOf(task: Task): number {
  return task.startsWith(BACKGROUND) ? -1 : Number.parseInt(task, 10);
}

export function taskOf(client: number, ordinal: number): Task {
  const name = client < 0 ? BACKGROUND : String(client);
  return ordinal === 0 ? name : `${name}.${ordinal}`;
}

/**
 * What a task does when it is chosen. `start`: the client sends its next operation. `release`: the
 * statement held at a gate goes to the server. `deliver`: an answer that was held, because another
 * client was running when it came, goes to the service. `wake`: a blocked statement continues; this is
 * a choice only if one step has ended the waits of several. A fault is injected into the task.
 */
export type Action = "start" | "release" | "deliver" | "wake" | Fault;

/** One of the moves that are enabled at a step. Faults aside, a task has at most one. */
export interface Choice {
  readonly task: Task;
  readonly action: Action;
  /** The next choice does not wait for the end of this step: the two run at the same time. Default: false. */
  readonly free?: true;
}

/**
 * A step in text form: the task that moves, `0!cut-after` for a fault in task 0, or `0+` for a step of
 * task 0 that runs at the same time as the next one.
 */
export type Entry = string;

export function entryOf({ task, action, free }: Choice): Entry {
  if (isFault(action)) return `${task}!${action}`;
  return free === true ? freeEntry(task) : task;
}

/** The entry of a step that runs at the same time as the next one. */
export function freeEntry(task: Task): Entry {
  return `${task}+`;
}

/** The task of a valid entry, its fault, if there is one, and whether it runs at the same time as the next one. */
export function parseEntry(entry: Entry): {
  readonly task: Task;
  readonly fault: Fault | undefined;
  readonly free: boolean;
} {
  const free = entry.endsWith("+");
  const [task = entry, fault] = (free ? entry.slice(0, -1) : entry).split("!");
  return { task, fault: fault !== undefined && isFault(fault) ? fault : undefined, free };
}

/** Whether some steps run at the same time, so that the schedule does not determine the execution. */
export function hasFreeSteps({ entries }: Schedule): boolean {
  return entries.some((entry) => parseEntry(entry).free);
}

/** The kinds of faults in a schedule. */
export function faultsIn({ entries }: Schedule): readonly Fault[] {
  return [...new Set(entries.flatMap((entry) => parseEntry(entry).fault ?? []))];
}

/** The task that moves at each step. Together with a scenario it determines an execution. */
export interface Schedule {
  readonly version: 1;
  readonly entries: readonly Entry[];
}

/**
 * Whether choosing `chosen` preempts a client that could have continued. A client between two of its
 * operations is not preempted; so the schedules without a preemption are exactly the orders of whole
 * operations.
 */
export function isPreemption(
  previous: Task | undefined,
  chosen: Task,
  enabled: readonly Choice[],
): boolean {
  if (previous === undefined) return false;
  const client = clientOf(previous);
  if (clientOf(chosen) === client) return false;
  return enabled.some((c) => clientOf(c.task) === client && c.action !== "start");
}

/** The text form of a schedule, such as `0*3 1 0!cut-after 0*2`. */
export function formatSchedule(schedule: Schedule): string {
  const runs: { entry: Entry; count: number }[] = [];
  for (const entry of schedule.entries) {
    const last = runs.at(-1);
    if (last?.entry === entry) last.count++;
    else runs.push({ entry, count: 1 });
  }
  return runs.map((r) => (r.count === 1 ? r.entry : `${r.entry}*${r.count}`)).join(" ");
}

/** The inverse of `formatSchedule`; undefined if `text` is not a schedule. */
export function parseSchedule(text: string): Schedule | undefined {
  const entries: Entry[] = [];
  for (const run of text.split(" ").filter((part) => part !== "")) {
    const match = /^((?:bg|\d{1,4})(?:\.\d{1,4})?(?:!([a-z-]+)|\+)?)(?:\*([1-9]\d{0,5}))?$/.exec(
      run,
    );
    const [, entry, fault, count = "1"] = match ?? [];
    if (entry === undefined || (fault !== undefined && !isFault(fault))) return undefined;
    for (let left = Number(count); left > 0; left--) entries.push(entry);
  }
  return { version: 1, entries };
}
