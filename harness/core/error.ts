export type HarnessErrorCode =
  | "USAGE"
  | "PROVIDER_FAILED"
  | "MODEL_FAILED"
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
