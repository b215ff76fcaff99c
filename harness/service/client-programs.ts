import type { HeldPort } from "../execution/system.ts";
import type { RunningProgram } from "./program.ts";

/**
 * The longest time for which a program may be held at its first connection, in ms. Drivers give up after two seconds
 * and more.
 */
const LONGEST_MS = 1_000;

/** A program that waits for its turn, and whether it has ended already. */
interface HeldProgram {
  readonly program: RunningProgram;
  readonly port: HeldPort;
  readonly ended: () => boolean;
}

/**
 * The programs of clients, started ahead of their turns: a program loads its modules while others run, and its
 * connections wait until the scheduler starts its client. When it does, the program of the next execution is started.
 *
 * A program that has ended before its turn, or has been held for long, is started once more at its turn. From then on
 * none is started ahead.
 */
export class ClientPrograms {
  readonly #start: (client: number, url: string) => RunningProgram;
  readonly #portFor: (client: number) => Promise<HeldPort>;
  readonly #waiting = new Map<number, Promise<HeldProgram>>();
  #isAhead: boolean;

  /**
   * @param start starts the program of a client; it is killed when the scenario ends
   * @param options.isAhead whether programs are started ahead: what they do before they connect must not matter
   */
  constructor(
    start: (client: number, url: string) => RunningProgram,
    portFor: (client: number) => Promise<HeldPort>,
    { isAhead }: { readonly isAhead: boolean },
  ) {
    this.#start = start;
    this.#portFor = portFor;
    this.#isAhead = isAhead;
  }

  /** Starts the programs of these clients, unless they wait already. */
  prepare(clients: readonly number[]): void {
    if (!this.#isAhead) return;
    for (const client of clients) {
      if (this.#waiting.has(client)) continue;
      const starting = this.#held(client);
      // It fails when the program is taken.
      starting.catch(() => {});
      this.#waiting.set(client, starting);
    }
  }

  /** Lets the program of a client go on. The signal kills it. */
  async take(client: number, signal: AbortSignal): Promise<RunningProgram> {
    const waiting = this.#waiting.get(client);
    this.#waiting.delete(client);
    let held = await (waiting ?? this.#held(client));
    if (waiting !== undefined && (held.ended() || held.port.waitedMs > LONGEST_MS)) {
      this.#isAhead = false;
      if (!held.ended()) held.program.kill();
      held = await this.#held(client);
    }
    const { program, port } = held;
    port.open();
    const kill = () => program.kill();
    const forget = () => signal.removeEventListener("abort", kill);
    if (signal.aborted) kill();
    else signal.addEventListener("abort", kill, { once: true });
    program.ended.then(forget, forget);
    this.prepare([client]);
    return program;
  }

  async #held(client: number): Promise<HeldProgram> {
    const port = await this.#portFor(client);
    let ended = false;
    const end = () => {
      ended = true;
      port.close();
    };
    try {
      const program = this.#start(client, port.url);
      program.ended.then(end, end);
      return { program, port, ended: () => ended };
    } catch (error) {
      end();
      throw error;
    }
  }
}
