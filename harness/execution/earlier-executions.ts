import type { EarlierExecution } from "../core/counterexample.ts";
import type { Execution } from "../core/execution.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";

/** The most executions that are known before another one. */
const MOST = 256;

/** A position in the list: a part of it, how much of the part comes before, and the part before it. */
interface Position<State extends Json, Op extends Operation> {
  readonly part: readonly EarlierExecution<State, Op>[];
  readonly length: number;
  readonly previous: readonly EarlierExecution<State, Op>[];
}

/**
 * Which executions came before each, since everything was started anew: what they leave in the memory of
 * the service, or of a client's module, may take part in a violation. The list is kept in parts, so that
 * old ones are forgotten in a long campaign.
 */
export class EarlierExecutions<State extends Json, Op extends Operation> {
  #part: EarlierExecution<State, Op>[] = [];
  #previous: readonly EarlierExecution<State, Op>[] = [];
  readonly #positions = new WeakMap<Execution<State, Op>, Position<State, Op>>();

  /** Notes an execution that has ended. */
  add(execution: Execution<State, Op>): void {
    const { scenario, schedule } = execution;
    if (this.#part.length === MOST) {
      this.#previous = this.#part;
      this.#part = [];
    }
    const part = this.#part;
    this.#positions.set(execution, { part, length: part.length, previous: this.#previous });
    part.push({ scenario, schedule });
  }

  /** Everything is started anew: nothing remembers the executions until now. */
  forget(): void {
    this.#part = [];
    this.#previous = [];
  }

  /** The latest executions before this one, oldest first, 256 at most. */
  before(execution: Execution<State, Op>): readonly EarlierExecution<State, Op>[] {
    const position = this.#positions.get(execution);
    if (position === undefined) return [];
    const { part, length, previous } = position;
    return [...previous, ...part.slice(0, length)].slice(-MOST);
  }
}
