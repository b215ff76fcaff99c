import type { Counterexample } from "../core/counterexample.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Scenario } from "../core/scenario.ts";
import type { Violation } from "../core/verdict.ts";
import type { FailingExecution } from "./explore-scenario.ts";
import { keyOf } from "./tally.ts";

/** A failing execution, with its number, from 1, and that of its scenario, from 0. */
export interface NumberedFailure<State extends Json, Op extends Operation>
  extends FailingExecution<State, Op> {
  readonly executionNumber: number;
  /** Among those of all shards. */
  readonly scenarioNumber: number;
}

/** What a violation shows: two races of the same operations may break the same rule in other tables. */
export interface FailureGroup {
  /** The names of the operations; undefined where only rules are told apart. */
  readonly operations: string | undefined;
  /** See `keyOf`. */
  readonly rule: string;
  /** What is told apart within the rule; undefined: nothing, as of a stored violation. */
  readonly about: readonly string[] | undefined;
}

/** @param byOperations whether findings of other operations are others, also those of the same rule */
export function groupOf(
  { scenario, violations: [first] }: Pick<Counterexample, "scenario" | "violations">,
  byOperations: boolean,
): FailureGroup {
  const names = scenario.clients.flat().map(({ name }) => name);
  return {
    operations: byOperations ? JSON.stringify(names.sort()) : undefined,
    rule: first === undefined ? "" : keyOf(first),
    about: byOperations ? first?.about : undefined,
  };
}

/** Whether a finding shows all of another one, which may be about more. */
export function covers(one: FailureGroup, other: FailureGroup): boolean {
  return one.operations === other.operations && one.rule === other.rule && isWithin(one, other);
}

/** Whether a violation is of the rule of another one, and about nothing else. */
export function isSameFinding(
  one: Pick<Violation, "checker" | "name" | "about">,
  other: Pick<Violation, "checker" | "name" | "about">,
): boolean {
  return keyOf(one) === keyOf(other) && isWithin(one, other);
}

interface About {
  readonly about?: readonly string[] | undefined;
}

/** What is about no table, since answers alone are wrong, is within everything: most races show so too. */
function isWithin(one: About, other: About): boolean {
  if (one.about === undefined || other.about === undefined) return true;
  if (other.about.length === 0) return true;
  const others = new Set(other.about);
  return one.about.length > 0 && one.about.every((part) => others.has(part));
}

/**
 * The failing executions of a campaign that are shrunk: the first one of each finding. A finding that is about
 * less takes the place of one that is about more.
 */
export class Failures<State extends Json, Op extends Operation> {
  readonly #byOperations: boolean;
  #first: readonly NumberedFailure<State, Op>[] = [];

  /**
   * @param byOperations whether findings of other operations count for themselves. A generated scenario in
   *   which clients have the operations of a pair, and the pair breaks the same rule, shows what the pair shows.
   */
  constructor(byOperations: boolean) {
    this.#byOperations = byOperations;
  }

  add(failure: NumberedFailure<State, Op>): void {
    if (this.has(failure)) return;
    const finding = this.#groupOf(failure);
    this.#first = [
      ...this.#first.filter((other) => !covers(finding, this.#groupOf(other))),
      failure,
    ];
  }

  /** Whether one of them shows all that this one shows. */
  has(failure: FailingExecution<State, Op>): boolean {
    const finding = this.#groupOf(failure);
    return this.#first.some((other) => covers(this.#groupOf(other), finding));
  }

  get any(): boolean {
    return this.#first.length > 0;
  }

  get all(): readonly NumberedFailure<State, Op>[] {
    const all = this.#first.toSorted((a, b) => a.executionNumber - b.executionNumber);
    if (!this.#byOperations) return all;
    const pairs = all.filter(({ ofPair }) => ofPair);
    const others = all.filter(
      ({ ofPair, execution, violations }) =>
        !ofPair &&
        !pairs.some(
          (pair) =>
            (showsIn(pair.violations, violations) ||
              (isInAnswersAlone(pair.violations) && showsIn(violations, pair.violations))) &&
            contains(execution.scenario, pair.execution.scenario),
        ),
    );
    // Which of the operations of a generated scenario race only shrinking shows.
    const distinct = others.filter(
      ({ violations }, at) =>
        !others.slice(0, at).some((earlier) => showsIn(earlier.violations, violations)),
    );
    return [...pairs, ...distinct];
  }

  #groupOf({ execution: { scenario }, violations }: FailingExecution<State, Op>): FailureGroup {
    return groupOf({ scenario, violations }, this.#byOperations);
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

/** Whether the first violation shows in no table: with other arguments the same race may show in some. */
function isInAnswersAlone([first]: readonly Violation[]): boolean {
  return first?.about?.length === 0;
}

/** Whether the first of some violations shows all of the first one of others. */
function showsIn([one]: readonly Violation[], [other]: readonly Violation[]): boolean {
  return one !== undefined && other !== undefined && isSameFinding(one, other);
}
