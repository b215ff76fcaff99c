/**
 * The kinds of faults, with a description each. They affect a running statement or its connection, a
 * client that waits for an answer or has lost it, or a whole process.
 */
export const FAULTS = {
  "cut-before": "the connection is cut, and the statement never reaches the server",
  "cut-after": "the connection is cut, and the service never receives the answer",
  cancel: "the statement is cancelled",
  terminate: "the server ends the session",
  "give-up": "the client stops waiting, and its request continues",
  retry: "the client sends its last operation again",
  "kill-before": "the service is killed before the statement is done, and started again",
  "kill-after": "the service is killed before it receives the answer, and started again",
  "kill-client-before": "the client is killed before the statement is done",
  "kill-client-after": "the client is killed before it receives the answer",
  crash: "the server is killed, and started again on its data",
} as const;

/** A kind of fault. The schedule chooses faults, so that they replay and shrink like other choices. */
export type Fault = keyof typeof FAULTS;

/** The faults that kill the service. */
const KILLS: readonly Fault[] = ["kill-before", "kill-after"];

/** The faults that kill a client with connections of its own. */
const CLIENT_KILLS: readonly Fault[] = ["kill-client-before", "kill-client-after"];

export function isKill(name: string): boolean {
  return KILLS.some((kill) => kill === name);
}

export function isClientKill(name: string): boolean {
  return CLIENT_KILLS.some((kill) => kill === name);
}

/** Whether it ends a process that serves all clients; starting that again takes longer than an execution. */
export function endsProcess(fault: Fault): boolean {
  return fault === "crash" || isKill(fault);
}

export function isFault(name: string): name is Fault {
  return Object.hasOwn(FAULTS, name);
}

/** Groups of faults by name, for `--faults`. */
export const FAULT_GROUPS: { readonly [name: string]: readonly Fault[] } = {
  connection: ["cut-before", "cut-after", "cancel", "terminate", "retry"],
  all: ["cut-before", "cut-after", "cancel", "terminate", "give-up", "retry"],
  // It needs clients that use the database themselves.
  client: [...CLIENT_KILLS, "retry"],
  // These two groups need a service or a server that Heddle can start.
  service: [...KILLS, "retry"],
  server: ["crash", "retry"],
};
