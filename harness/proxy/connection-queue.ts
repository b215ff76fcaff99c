import { setImmediate as turn } from "node:timers/promises";

/**
 * How many turns of the event loop a program in this process gets, once its session is ready, to
 * send its first statement: it reads that, goes on, and what it writes is read here.
 */
const TURNS = 4;

/**
 * Sessions are opened one at a time, in the order in which they asked for it: which of several the
 * server would have ready first is chance.
 */
export class ConnectionQueue {
  /** How many are under way, or wait for their turn. */
  size = 0;
  readonly #done: () => void;
  #last: Promise<void> = Promise.resolve();

  /** `done` is called whenever one has ended. */
  constructor(done: () => void) {
    this.#done = done;
  }

  /** Resolves when it is the caller's turn, with what ends that turn. */
  async next(): Promise<() => Promise<void>> {
    const before = this.#last;
    let release = () => {};
    this.#last = new Promise((resolve) => {
      release = resolve;
    });
    this.size++;
    await before;
    let ended = false;
    return async () => {
      if (ended) return;
      ended = true;
      for (let turns = 0; turns < TURNS; turns++) await turn();
      this.size--;
      release();
      this.#done();
    };
  }
}
