import type { Counterexample } from "../core/counterexample.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Scenario } from "../core/scenario.ts";
import type { FailingExecution } from "./explore-scenario.ts";
import { keyOf } from "./tally.ts";

/** A failing execution, with its number, from 1, and that of its scenario, from 0. */
export interface NumberedFailure<State extends Json, Op extends Operation>
  extends FailingExecution<State, Op> {
  readonly executionNumber: number;
  /** Among those of all shards. */
  readonly scenarioNumber: number;
}

/** The failing executions of a campaign that are shrunk: the first one of each group. */
export class Failures<State extends Json, Op extends Operation> {
  readonly #byOperations: boolean;
  readonly #first = new Map<string, NumberedFailure<State, Op>>();

  /**
   * @param byOperations whether a group has the same operations, and not the same rule. A generated
   *   scenario in which clients have the operations of a pair that fails is in the group of that pair.
   */
  constructor(byOperations: boolean) {
    this.#byOperations = byOperations;
  }

  add(failure: NumberedFailure<State, Op>): void {
    if (!this.has(failure)) this.#first.set(this.#groupOf(failure), failure);
  }

  /** Whether there is one of the same group. */
  has(failure: FailingExecution<State, Op>): boolean {
    return this.#first.has(this.#groupOf(failure));
  }

  #groupOf({ execution: { scenario }, violations }: FailingExecution<State, Op>): string {
    return groupOf({ scenario, violations }, this.#byOperations);
  }

  get any(): boolean {
    return this.#first.size > 0;
  }

  get all(): readonly NumberedFailure<State, Op>[] {
    const all = [...this.#first.values()];
    if (!this.#byOperations) return all;
    const pairs = all.filter(({ ofPair }) => ofPair);
    const others = all.filter(
      ({ ofPair, execution }) =>
        !ofPair && !pairs.some((pair) => contains(execution.scenario, pair.execution.scenario)),
    );
    // What else fails is grouped by its rule: which of its operations race only shrinking shows.
    const byRule = new Map(others.toReversed().map((failure) => [ruleOf(failure), failure]));
    return [...pairs, ...[...byRule.values()].toReversed()];
  }
}

/** Whether two clients of a scenario have the operations of a pair. */
function contains({ clients }: Scenario, pair: Scenario): boolean {
  const [first, second] = pair.clients.flat().map(({ name }) => name);
  const having = (name: string | undefined) =>
    clients.flatMap((own, client) => (own.some((one) => one.name === name) ? client : []));
  const others = having(second);
  return having(first).some((client) => others.some((other) => other !== client));
}

/** What a violation counts as: its rule, or, by operations, the names of those in its scenario. */
export function groupOf(
  { scenario, violations }: Pick<Counterexample, "scenario" | "violations">,
  byOperations: boolean,
): string {
  if (!byOperations) return ruleOf({ violations });
  const names = scenario.clients.flat().map(({ name }) => name);
  return JSON.stringify(names.sort());
}

function ruleOf({ violations: [first] }: Pick<FailingExecution, "violations">): string {
  return first === undefined ? "" : keyOf(first);
}
