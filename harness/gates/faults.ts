import { HarnessError } from "../core/error.ts";

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
