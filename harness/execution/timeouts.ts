import type { Trace } from "../core/trace.ts";

/** What a report calls it when a timeout of the application ends a statement. */
export const TIMEOUTS = "the moment at which a timeout of the application ends a statement";

/** The note of a run in which one did. */
export const TIMED_OUT =
  "A timeout of the application (lock_timeout, statement_timeout) ended a statement. One of at most 100 ms always ends a wait before other clients go on; a longer one while they go on, or never.";

/** The errors of statements that a timeout has ended; of NOWAIT, which has the code of the first, another text. */
const ERRORS = /^(55P03|57014) .*timeout|^(25P03|25P04|57P05) /;

/** Whether a timeout of the application has ended a statement. */
export function hasTimeout(trace: Trace): boolean {
  return trace.some((event) => {
    const error = event.type === "result" ? event.result.error : undefined;
    return error !== undefined && ERRORS.test(`${error.sqlstate} ${error.message}`);
  });
}
