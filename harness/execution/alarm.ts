import { realNow } from "../core/real-clock.ts";

/**
 * Calls a function after a time, unless it is set anew or unset before: what nearly always happens. A timer
 * for each time that it is set would cost more than the rest of a step, so one that runs already is kept, and
 * looks at what is due when it ends.
 */
export class Alarm {
  #due: { readonly at: number; readonly ring: () => void } | undefined;
  #timer: { readonly at: number; readonly handle: NodeJS.Timeout } | undefined;

  /** Calls `ring` once, in `ms` ms. What was set before is forgotten. */
  set(ms: number, ring: () => void): void {
    const at = realNow() + ms;
    this.#due = { at, ring };
    if (this.#timer === undefined || this.#timer.at > at) this.#start(at, ms);
  }

  unset(): void {
    this.#due = undefined;
  }

  #start(at: number, ms: number): void {
    clearTimeout(this.#timer?.handle);
    this.#timer = { at, handle: setTimeout(() => this.#elapsed(), Math.max(0, ms)) };
  }

  #elapsed(): void {
    this.#timer = undefined;
    if (this.#due === undefined) return;
    const { at, ring } = this.#due;
    const left = at - realNow();
    // A timer may be early by a part of a millisecond.
    if (left > 0) this.#start(at, Math.ceil(left));
    else {
      this.#due = undefined;
      ring();
    }
  }
}
