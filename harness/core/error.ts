/**
 * What went wrong. `USAGE`: options or files that cannot be used. `PROVIDER_FAILED`: no PostgreSQL.
 * `SERVICE_FAILED`: the service did not start or broke its contract with Heddle. `STEP_TIMEOUT`: a step
 * took longer than its limit. `CONNECTION_LOST`: a session ended without a fault. `UNSUPPORTED`: Heddle
 * cannot control what it was given. `REPLAY_DIVERGED`: a replay differs from the recorded execution.
 * `REPLAY_INCOMPATIBLE`: a replay needs another version of Heddle, the service or PostgreSQL.
 * `INTERRUPTED`: a signal ended the run.
 */
export type HarnessErrorCode =
  | "USAGE"
  | "PROVIDER_FAILED"
  | "SERVICE_FAILED"
  | "STEP_TIMEOUT"
  | "CONNECTION_LOST"
  | "UNSUPPORTED"
  | "REPLAY_DIVERGED"
  | "REPLAY_INCOMPATIBLE"
  | "INTERRUPTED";

/**
 * An error of the harness or its environment; a fault of the service under test is a `Violation`
 * instead. The message says what to do.
 */
export class HarnessError extends Error {
  readonly code: HarnessErrorCode;

  constructor(code: HarnessErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "HarnessError";
    this.code = code;
  }
}

/** The error for something that the statement gate cannot control. */
export function unsupported(what: string): HarnessError {
  return new HarnessError(
    "UNSUPPORTED",
    `the statement gate does not support ${what}; keep it out of what Heddle runs`,
  );
}

/** The SQLSTATE of a server, role or database that has as many connections as it may have. */
export const TOO_MANY_CONNECTIONS = "53300";

/**
 * The error for a session that ended for a reason outside of the service.
 *
 * @param sqlstate that of the server's last message. Default: none
 */
export function connectionLost(reason: string, sqlstate?: string): HarnessError {
  if (sqlstate === TOO_MANY_CONNECTIONS) {
    return new HarnessError(
      "PROVIDER_FAILED",
      `the server has no free connection (${reason}): Heddle needs a few for itself besides those of the clients, and as many again for each of --workers; ` +
        "end what else uses the server, such as another run, raise its max_connections, or run with fewer clients or workers",
    );
  }
  return new HarnessError(
    "CONNECTION_LOST",
    `the server refused or ended a session that Heddle was driving (${reason}); ` +
      "make sure that nothing else stops sessions or the server while Heddle runs, then run again",
  );
}
