import { setTimeout as delay } from "node:timers/promises";
import { HarnessError } from "../core/error.ts";

/** What the work gives. Throws HarnessError `STEP_TIMEOUT`, naming `what`, if it takes more than `ms`. */
export async function withTimeout<T>(what: string, ms: number, work: Promise<T>): Promise<T> {
  work.catch(() => {}); // Nobody waits for it any more when it is too late.
  const over = new AbortController();
  const late = delay(ms, undefined, { signal: over.signal }).then(
    () => {
      throw new HarnessError("STEP_TIMEOUT", `${what} took more than ${ms} ms`);
    },
    () => work,
  );
  try {
    return await Promise.race([work, late]);
  } finally {
    over.abort();
  }
}

/** Waits for work to end, but no longer than that. */
export async function atMost(ms: number, work: Promise<void>): Promise<void> {
  await Promise.race([work, delay(ms, undefined, { ref: false })]);
}
