import { isNothing } from "../core/footprint.ts";
import type { Statement } from "../core/trace.ts";
import type { RequestFootprint } from "../footprints/footprints.ts";
import type { ProxySession } from "../proxy/pending-statement.ts";

/** What is known of the parameters and the like that a session keeps beyond its transactions. */
interface SessionState {
  /** What set them before the session was used, as a pool may do when it opens a connection; undefined: not known. */
  readonly opening: string[] | undefined;
  /** Whether it has been used since. */
  used: boolean;
  /** Whether something was set after that. */
  changed: boolean;
}

const states = new WeakMap<ProxySession, SessionState>();

/**
 * What the executions of a search have shown that matters to steps before. A search that has relied on less has to
 * begin anew.
 */
export class Discoveries {
  /** Changes with each discovery. */
  revision = 0;
  readonly #dated = new Set<string>();
  /** How the first session was opened that has been used. */
  #opening: string | undefined;
  #sessionsDiffer = false;
  #isPassedOn = false;

  /** Forgets everything, for another search. */
  forget(): void {
    this.#dated.clear();
    this.#opening = undefined;
    this.#sessionsDiffer = false;
    this.#isPassedOn = false;
  }

  /** Whether a transaction may read the time at which it began. */
  isDated(transaction: string): boolean {
    return this.#dated.has(transaction);
  }

  /** Notes that a transaction may read the time at which it began. */
  readsStart(transaction: string): void {
    if (this.#dated.has(transaction)) return;
    this.#dated.add(transaction);
    this.revision++;
  }

  /**
   * Whether it matters which client gets a session of a pool: two clients have used one session, and what sessions
   * keep beyond their transactions differs.
   */
  get passesSessions(): boolean {
    return this.#sessionsDiffer && this.#isPassedOn;
  }

  /** Whether something was changed that sessions keep beyond their transactions, other than as each was opened. */
  get sessionsDiffer(): boolean {
    return this.#sessionsDiffer;
  }

  /** Notes the sessions that there are before an execution: they may have been used, or opened unseen. */
  begins(sessions: Iterable<ProxySession>): void {
    for (const session of sessions) {
      const state = states.get(session) ?? { opening: undefined, used: true, changed: false };
      states.set(session, state);
      state.used = true;
      // Of earlier searches: the sessions of a pool outlast them.
      this.#compare(state);
    }
  }

  /** Notes a statement that is released. */
  uses(session: ProxySession, request: RequestFootprint, { sql, values }: Statement): void {
    const { ofSession, control } = request;
    const state = states.get(session) ?? { opening: [], used: false, changed: false };
    states.set(session, state);
    if (ofSession === "changes") {
      if (state.used) {
        state.changed = true;
        this.#compare(state);
      } else state.opening?.push(JSON.stringify([sql, values]));
      return;
    }
    const touched = request.at(undefined);
    const usesData = touched !== undefined && !isNothing(touched);
    if (ofSession === "reads" || usesData || control.type === "end") this.#used(state);
  }

  /** Notes that another client than before uses a session. */
  passed(session: ProxySession): void {
    const state = states.get(session);
    if (state !== undefined) this.#used(state);
    this.#note(() => (this.#isPassedOn = true));
  }

  #used(state: SessionState): void {
    if (state.used) return;
    state.used = true;
    this.#compare(state);
  }

  #compare({ opening, changed }: SessionState): void {
    const text = opening && JSON.stringify(opening);
    this.#opening ??= text;
    const differs = changed || (text !== undefined && text !== this.#opening);
    if (differs) this.#note(() => (this.#sessionsDiffer = true));
  }

  #note(discover: () => void): void {
    const before = this.passesSessions;
    discover();
    if (this.passesSessions !== before) this.revision++;
  }
}
