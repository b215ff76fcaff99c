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
 * What went wrong with the harness or its surroundings, as opposed to with the service under test
 * (that is a `Violation`). The message is a sentence that says what to do.
 */
export class HarnessError extends Error {
  readonly code: HarnessErrorCode;

  constructor(code: HarnessErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "HarnessError";
    this.code = code;
  }
}

/** What the gate cannot control. */
export function unsupported(what: string): HarnessError {
  return new HarnessError(
    "UNSUPPORTED",
    `the statement gate does not support ${what}; keep it out of what Heddle runs`,
  );
}

/** An interference from outside: none of the service's doing. */
export function connectionLost(reason: string): HarnessError {
  return new HarnessError(
    "CONNECTION_LOST",
    `the server refused or ended a session that Heddle was driving (${reason}); ` +
      "see that nobody else stops sessions or the server while Heddle runs, then run again",
  );
}
