import { setTimeout as delay } from "node:timers/promises";
import { HarnessError } from "../core/error.ts";
import { isConnectionLost } from "./system.ts";

/** Connections that Heddle has closed may still emit errors for this time. */
const LATE_ERRORS_MS = 50;

export function interrupted(): HarnessError {
  return new HarnessError("INTERRUPTED", "interrupted");
}

/**
 * What ends a wait for code of the user, besides its own end: an interruption, a time limit, or an
 * unhandled error. An unhandled error is that of a promise without an `await`, or an `error` event without
 * a listener. Without this class, it would end the process before the report is written.
 */
export class WaitLimits {
  readonly #stepTimeoutMs: number;
  readonly #signal: AbortSignal | undefined;
  /** The failures of the waits that are under way. */
  readonly #waits = new Set<(error: HarnessError) => void>();
  #failure: HarnessError | undefined;
  /** Whether an execution is under way, so that the end of a connection is an error of its code. */
  executing = false;

  constructor(stepTimeoutMs: number, signal: AbortSignal | undefined) {
    this.#stepTimeoutMs = stepTimeoutMs;
    this.#signal = signal;
    process.on("uncaughtException", this.#take).on("unhandledRejection", this.#take);
    signal?.addEventListener("abort", this.#interrupt);
  }

  /**
   * The result of `work`, which `what` names in errors. Throws HarnessError `STEP_TIMEOUT` after `ms`,
   * `INTERRUPTED` or `SERVICE_FAILED`; the work goes on then.
   *
   * @param ms default: the step timeout
   */
  within<T>(what: string, work: Promise<T>, ms = this.#stepTimeoutMs): Promise<T> {
    // An execution has some of these waits: one timer, and no promise that is rejected for nothing.
    let cancel = () => {};
    const late = new Promise<never>((_, reject) => {
      const timer = setTimeout(() => {
        reject(new HarnessError("STEP_TIMEOUT", `${what} took more than ${ms} ms`));
      }, ms);
      cancel = () => clearTimeout(timer);
    });
    return this.race(Promise.race([work, late])).finally(cancel);
  }

  /** The result of `work`. Throws HarnessError `INTERRUPTED` or `SERVICE_FAILED`; the work goes on then. */
  async race<T>(work: Promise<T>): Promise<T> {
    let forget = () => {};
    const failed = new Promise<never>((_, reject) => {
      forget = this.onFailure(reject);
    });
    try {
      return await Promise.race([failed, work]);
    } finally {
      forget();
      work.catch(() => {});
    }
  }

  /**
   * Calls `fail` with what ends all waits, at once if that has happened.
   *
   * @returns a function after which it is not called any more
   */
  onFailure(fail: (error: HarnessError) => void): () => void {
    if (this.#failure !== undefined) fail(this.#failure);
    this.#waits.add(fail);
    return () => this.#waits.delete(fail);
  }

  readonly #interrupt = (): void => this.#fail(interrupted());

  readonly #take = (cause: unknown): void => {
    // Heddle has ended the connections of an execution that is over.
    if (!this.executing && isConnectionLost(cause)) return;
    this.#fail(
      new HarnessError(
        "SERVICE_FAILED",
        `a client, or a service in this process, has an unhandled error: ${String(cause)}; await all of ` +
          "its promises, and listen to the `error` event of its connections and pools",
        { cause },
      ),
    );
  };

  #fail(error: HarnessError): void {
    this.#failure ??= error;
    for (const fail of this.#waits) fail(this.#failure);
  }

  /** Stops handling errors, after those that closing connections causes. */
  async close(): Promise<void> {
    this.executing = false;
    await delay(LATE_ERRORS_MS);
    process.off("uncaughtException", this.#take).off("unhandledRejection", this.#take);
    this.#signal?.removeEventListener("abort", this.#interrupt);
  }
}

/** Waits until `work` has ended, but no longer than `ms`. Returns whether it has ended. */
export function atMost(ms: number, work: Promise<void>): Promise<boolean> {
  let cancel = () => {};
  const late = new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => resolve(false), ms).unref();
    cancel = () => clearTimeout(timer);
  });
  return Promise.race([work.then(() => true), late]).finally(cancel);
}
