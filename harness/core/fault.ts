/**
 * What can be done to a statement that is under way, or to its connection; and what a client can do
 * that waits for an answer, or does not know what became of its operation. With what happens, for a
 * reader.
 */
export const FAULTS = {
  "cut-before": "the connection is cut, and the statement never reaches the server",
  "cut-after": "the connection is cut, and the service never hears the answer",
  cancel: "the statement is cancelled",
  terminate: "the server ends the session",
  "give-up": "the client waits no longer, and its request goes on without it",
  retry: "the client sends its last operation again",
  "kill-before": "the service is killed before the statement is done, and started again",
  "kill-after": "the service is killed before it hears the answer, and started again",
  crash: "the server is killed, and started again on what it had written",
} as const;

/** A kind of fault. It is a choice of the schedule, and so it replays and shrinks like any other. */
export type Fault = keyof typeof FAULTS;

/** The faults of the service's process. */
const KILLS: readonly Fault[] = ["kill-before", "kill-after"];

export function isKill(name: string): boolean {
  return KILLS.some((kill) => kill === name);
}

/** Whether it ends a process, whose new start takes longer than an execution. */
export function endsProcess(fault: Fault): boolean {
  return fault === "crash" || isKill(fault);
}

export function isFault(name: string): name is Fault {
  return Object.hasOwn(FAULTS, name);
}

/** Kinds of faults that go together, by name. */
export const FAULT_GROUPS: { readonly [name: string]: readonly Fault[] } = {
  connection: ["cut-before", "cut-after", "cancel", "terminate", "retry"],
  all: ["cut-before", "cut-after", "cancel", "terminate", "give-up", "retry"],
  // These two take a start of a process each, and something that can be started.
  service: [...KILLS, "retry"],
  server: ["crash", "retry"],
};
