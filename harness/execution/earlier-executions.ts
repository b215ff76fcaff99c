import type { EarlierExecution } from "../core/counterexample.ts";
import type { Execution } from "../core/execution.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";

/** The end of a list, which lists of later executions share. */
interface Link<State extends Json, Op extends Operation> {
  readonly execution: EarlierExecution<State, Op>;
  readonly previous: Link<State, Op> | undefined;
}

/**
 * Which executions came before each, since everything was started anew: what they leave in the memory of
 * the service, or of a client's module, may take part in a violation.
 */
export class EarlierExecutions<State extends Json, Op extends Operation> {
  #last: Link<State, Op> | undefined;
  readonly #before = new WeakMap<Execution<State, Op>, Link<State, Op>>();

  /** Notes an execution that has ended. */
  add(execution: Execution<State, Op>): void {
    const { scenario, schedule } = execution;
    if (this.#last !== undefined) this.#before.set(execution, this.#last);
    this.#last = { execution: { scenario, schedule }, previous: this.#last };
  }

  /** Everything is started anew: nothing remembers the executions until now. */
  forget(): void {
    this.#last = undefined;
  }

  /** The latest executions before this one, oldest first, `most` at most. */
  before(execution: Execution<State, Op>, most: number): readonly EarlierExecution<State, Op>[] {
    const found: EarlierExecution<State, Op>[] = [];
    for (
      let link = this.#before.get(execution);
      link !== undefined && found.length < most;
      link = link.previous
    ) {
      found.push(link.execution);
    }
    return found.reverse();
  }
}
