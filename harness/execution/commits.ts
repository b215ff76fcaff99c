import type { Commit, Snapshot } from "../core/execution.ts";
import type { TraceEvent } from "../core/trace.ts";
import type { LockWaits } from "../gates/lock-waits.ts";

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
    return new Commits(trace, lockWaits, observe, await lockWaits.lastEnded());
  }

  /** At rest. Where a transaction has ended, the server says whether one has that wrote anything. */
  async afterStep(): Promise<void> {
    const news = this.#trace.slice(this.#read);
    this.#read = this.#trace.length;
    this.#steps += news.filter(({ type }) => type === "move").length;
    if (!news.some((event) => event.type === "result" && event.result.transaction === "idle")) {
      return;
    }
    const ended = await this.#lockWaits.lastEnded();
    if (ended === this.#ended) return;
    this.#ended = ended;
    this.seen.push({ step: this.#steps, snapshot: await this.#observe() });
  }
}
