import { setImmediate as turn } from "node:timers/promises";

/**
 * The number of turns of the event loop after a session is ready in which a program in this process can
 * send its first statement: it reads that it is ready, continues, and its first statement arrives here.
 */
const TURNS = 4;

/**
 * Opens sessions one at a time, in the order in which they were requested. Otherwise the server decides
 * which of several is ready first.
 */
export class ConnectionQueue {
  /** The number of sessions that are being opened or wait for their turn. */
  size = 0;
  readonly #onTurnEnd: () => void;
  #last: Promise<void> = Promise.resolve();

  /** @param onTurnEnd called whenever a turn has ended */
  constructor(onTurnEnd: () => void) {
    this.#onTurnEnd = onTurnEnd;
  }

  /** Resolves when it is the caller's turn, with the function that ends the turn. */
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
      this.#onTurnEnd();
    };
  }
}
