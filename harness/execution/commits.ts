import type { Commit, Snapshot } from "../core/execution.ts";
import type { TraceEvent } from "../core/trace.ts";
import type { LockWaits } from "./lock-waits.ts";

/** Observes committed state after each step in which it may have changed. */
export class Commits {
  readonly seen: Commit[] = [];
  readonly #trace: readonly TraceEvent[];
  readonly #lockWaits: LockWaits;
  readonly #observe: () => Promise<Snapshot>;
  #steps = 0;
  #read = 0;
  #ended: string;

  private constructor(
    trace: readonly TraceEvent[],
    lockWaits: LockWaits,
    observe: () => Promise<Snapshot>,
    ended: string,
  ) {
    this.#trace = trace;
    this.#lockWaits = lockWaits;
    this.#observe = observe;
    this.#ended = ended;
  }

  /** Begins with what is committed now. `trace` grows. */
  static async begin(
    trace: readonly TraceEvent[],
    lockWaits: LockWaits,
    observe: () => Promise<Snapshot>,
  ): Promise<Commits> {
    return new Commits(trace, lockWaits, observe, await lockWaits.ended());
  }

  /**
   * At rest. The server says whether a transaction has ended that wrote anything: a procedure may
   * commit in the middle, of which no answer tells.
   */
  async afterStep(): Promise<void> {
    this.#steps += this.#trace.slice(this.#read).filter(({ type }) => type === "move").length;
    this.#read = this.#trace.length;
    const ended = await this.#lockWaits.ended();
    if (ended === this.#ended) return;
    this.#ended = ended;
    this.seen.push({ step: this.#steps, snapshot: await this.#observe() });
  }
}
