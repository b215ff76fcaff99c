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

type Found = Pick<Violation, "checker" | "name" | "about">;

/** Whether a violation is of the rule of another one, and about nothing else. */
export function isSameFinding(one: Found, other: Found): boolean {
  return keyOf(one) === keyOf(other) && isWithin(one, other);
}

interface About {
  readonly about?: readonly string[] | undefined;
}

function isWithin(one: About, other: About): boolean {
  if (one.about === undefined || other.about === undefined) return true;
  const others = new Set(other.about);
  const isInAnswers = one.about.length === 0;
  return isInAnswers ? others.size === 0 : one.about.every((part) => others.has(part));
}

/**
 * The failing executions of a campaign that are shrunk: the first one of each finding. A finding that is about
 * less takes the place of one that is about more. Most races show in answers alone too, with other arguments: what
 * does so counts for itself only where no table is wrong after an interruption at the same place.
 */
export class Failures<State extends Json, Op extends Operation> {
  readonly #byOperations: boolean;
  #first: readonly NumberedFailure<State, Op>[] = [];
  /** By operations and rule: where operations were interrupted when tables were wrong. */
  readonly #places = new Map<string, Set<string>>();

  /**
   * @param byOperations whether findings of other operations count for themselves. A generated scenario in
   *   which clients have the operations of a pair, and the pair breaks the same rule, shows what the pair shows.
   */
  constructor(byOperations: boolean) {
    this.#byOperations = byOperations;
  }

  add(failure: NumberedFailure<State, Op>): void {
    const finding = this.#groupOf(failure);
    if (!isInAnswersAlone(failure)) {
      const places = this.#places.get(keyOfGroup(finding)) ?? new Set();
      for (const place of failure.interruptions ?? []) places.add(place);
      this.#places.set(keyOfGroup(finding), places);
    }
    if (this.has(failure)) return;
    this.#first = [...this.#first.filter((other) => !this.#covers(failure, other)), failure];
  }

  /** Whether one of them shows all that this one shows. */
  has(failure: FailingExecution<State, Op>): boolean {
    return this.#first.some((other) => this.#covers(other, failure));
  }

  get any(): boolean {
    return this.#first.length > 0;
  }

  get all(): readonly NumberedFailure<State, Op>[] {
    const all = this.#first.toSorted((a, b) => a.executionNumber - b.executionNumber);
    if (!this.#byOperations) return all;
    const own = all.filter((failure) => !this.#showsInTables(failure));
    const firsts = own.filter(
      (failure, at) =>
        !own.slice(0, at).some((earlier) => covers(this.#groupOf(earlier), this.#groupOf(failure))),
    );
    const pairs = firsts.filter(({ ofPair }) => ofPair);
    const others = firsts.filter(
      (failure) =>
        !failure.ofPair &&
        !pairs.some(
          (pair) =>
            (showsIn(pair, failure) || (isInAnswersAlone(pair) && showsIn(failure, pair))) &&
            contains(failure.execution.scenario, pair.execution.scenario),
        ),
    );
    // Which of the operations of a generated scenario race only shrinking shows.
    const distinct = others.filter(
      (failure, at) => !others.slice(0, at).some((earlier) => showsIn(earlier, failure)),
    );
    return [...pairs, ...distinct];
  }

  #groupOf({ execution: { scenario }, violations }: FailingExecution<State, Op>): FailureGroup {
    return groupOf({ scenario, violations }, this.#byOperations);
  }

  /** Two that show in answers alone are the same if their operations were interrupted at the same place. */
  #covers(one: FailingExecution<State, Op>, other: FailingExecution<State, Op>): boolean {
    if (!covers(this.#groupOf(one), this.#groupOf(other))) return false;
    if (!this.#byOperations || !isInAnswersAlone(other)) return true;
    const [mine, its] = [one.interruptions ?? [], other.interruptions ?? []];
    return mine.length + its.length === 0 || its.some((place) => mine.includes(place));
  }

  /** Whether a finding in answers alone is that of tables, with other arguments. */
  #showsInTables(failure: FailingExecution<State, Op>): boolean {
    const places = this.#places.get(keyOfGroup(this.#groupOf(failure)));
    if (places === undefined || !isInAnswersAlone(failure)) return false;
    const { interruptions = [] } = failure;
    return interruptions.length === 0 || interruptions.some((place) => places.has(place));
  }
}

function keyOfGroup({ operations, rule }: FailureGroup): string {
  return `${rule} ${operations}`;
}

/** Whether two clients of a scenario have the operations of a pair. */
function contains({ clients }: Scenario, pair: Scenario): boolean {
  const [first, second] = pair.clients.flat().map(({ name }) => name);
  const having = (name: string | undefined) =>
    clients.flatMap((own, client) => (own.some((one) => one.name === name) ? client : []));
  const others = having(second);
  return having(first).some((client) => others.some((other) => other !== client));
}

type Failing = Pick<FailingExecution, "violations">;

/** Whether the first violation shows in no table: with other arguments the same race may show in some. */
function isInAnswersAlone({ violations: [first] }: Failing): boolean {
  return first?.about?.length === 0;
}

/** Whether what one shows is what another one shows too, which may be about more, or in answers alone. */
function showsIn(one: Failing, other: Failing): boolean {
  const [[mine], [its]] = [one.violations, other.violations];
  if (mine === undefined || its === undefined) return false;
  return keyOf(mine) === keyOf(its) && (isInAnswersAlone(other) || isWithin(mine, its));
}
