import { KILLED } from "./outcome.ts";
import type { Outcome } from "./scenario-definition.ts";

/** The work of a client that is under way. */
interface ClientWork {
  readonly abandoned: AbortController;
  readonly outcome: Promise<Outcome>;
}

/**
 * Clients whose work can be cut off, as if their processes had been killed: code of this process cannot be ended,
 * so it is abandoned. Nothing of what it still does counts.
 */
export class KillableClients {
  readonly #signal: AbortSignal;
  readonly #underWay = new Map<number, ClientWork>();

  /** @param signal ends the work of all clients */
  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /**
   * The outcome of a client's work, or that of a client that was killed.
   *
   * @param work gets a signal that is aborted when the client is killed
   */
  async outcomeOf(
    client: number,
    work: (signal: AbortSignal) => Promise<Outcome>,
  ): Promise<Outcome> {
    const abandoned = new AbortController();
    const outcome = work(AbortSignal.any([this.#signal, abandoned.signal]));
    this.#underWay.set(client, { abandoned, outcome });
    const killed = new Promise<Outcome>((resolve) => {
      abandoned.signal.addEventListener("abort", () => resolve(KILLED), { once: true });
    });
    try {
      return await Promise.race([killed, outcome]);
    } finally {
      this.#underWay.delete(client);
    }
  }

  /** Kills a client. The result resolves when its work has ended: code of this process may never end. */
  async kill(client: number): Promise<void> {
    const work = this.#underWay.get(client);
    work?.abandoned.abort();
    await work?.outcome.catch(() => {});
  }
}
