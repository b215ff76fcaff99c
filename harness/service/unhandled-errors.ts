import { setTimeout as delay } from "node:timers/promises";
import { HarnessError } from "../core/error.ts";

/** How long connections may take to say that they were closed, in ms. */
const LAST_WORDS_MS = 50;

/**
 * Errors of clients that nobody waits for: a promise without an `await`, or an `error` event without
 * a listener. They would end the process, and with it the report.
 */
export class UnhandledErrors {
  /** Rejects with HarnessError `SERVICE_FAILED` at the first of them. */
  readonly failed: Promise<never>;
  #reject: (error: HarnessError) => void = () => {};

  constructor() {
    this.failed = new Promise((_, reject) => {
      this.#reject = reject;
    });
    this.failed.catch(() => {}); // Whoever performs next hears of it, if anybody does.
    process.on("uncaughtException", this.#take).on("unhandledRejection", this.#take);
  }

  readonly #take = (cause: unknown): void => {
    this.#reject(
      new HarnessError(
        "SERVICE_FAILED",
        `a client failed where nobody waits for it: ${String(cause)}; let it await what it begins, ` +
          "and listen to the `error` event of its connections",
        { cause },
      ),
    );
  };

  /** Closing ends connections, of which some will say so. */
  async close(): Promise<void> {
    await delay(LAST_WORDS_MS);
    process.off("uncaughtException", this.#take).off("unhandledRejection", this.#take);
  }
}
