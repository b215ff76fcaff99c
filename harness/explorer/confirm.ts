import type { Checkers } from "../checkers/registry.ts";
import type { EarlierExecution, Unrepeated } from "../core/counterexample.ts";
import { HarnessError } from "../core/error.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { VolatileValue } from "../core/volatile-values.ts";
import type { Executor } from "../execution/executor.ts";
import type { FailingExecution } from "./explore-scenario.ts";
import { type RecordedExecution, type Replayed, replayChecked } from "./replay.ts";

/** A failing execution as it is on a freshly started system, and what differs when it is repeated. */
export interface ConfirmedExecution<State extends Json, Op extends Operation> {
  readonly failing: FailingExecution<State, Op>;
  readonly volatile: readonly VolatileValue[];
  readonly unrepeated?: Unrepeated;
  /** The executions that have to come first; absent if there is none. */
  readonly before?: readonly EarlierExecution<State, Op>[];
}

/** How often the schedule is executed again where the rule held on the freshly started system. */
const FURTHER_EXECUTIONS = 2;

/**
 * Executes a failing schedule on a freshly started system: what clients and the service remember of
 * earlier executions must not be what breaks the rule. A replay starts there too. If the rule is broken
 * only after earlier executions, the fewest of these that were found belong to the result.
 *
 * @param more whether there is time for further attempts
 */
export async function confirm<State extends Json, Op extends Operation>(
  failing: FailingExecution<State, Op>,
  executor: Executor<State, Op>,
  checkers: Checkers<State, Op>,
  more: () => boolean = () => true,
): Promise<ConfirmedExecution<State, Op>> {
  try {
    return await new Confirmation(failing, executor, checkers, more).result();
  } catch (error) {
    // The violation stands without the confirmation.
    if (!(error instanceof HarnessError)) throw error;
    return { failing, volatile: [] };
  }
}

class Confirmation<State extends Json, Op extends Operation> {
  readonly #failing: FailingExecution<State, Op>;
  readonly #executor: Executor<State, Op>;
  readonly #checkers: Checkers<State, Op>;
  readonly #more: () => boolean;

  constructor(
    failing: FailingExecution<State, Op>,
    executor: Executor<State, Op>,
    checkers: Checkers<State, Op>,
    more: () => boolean,
  ) {
    this.#failing = failing;
    this.#executor = executor;
    this.#checkers = checkers;
    this.#more = more;
  }

  async result(): Promise<ConfirmedExecution<State, Op>> {
    const failing = this.#failing;
    const fresh = await this.#onFreshSystem(failing);
    const { diverged, volatile } = fresh;
    // Without control of the wake-up order another execution may be chance.
    if (diverged === undefined || !this.#executor.ordersWakes) return { failing, volatile };
    if (this.#recurs(fresh)) return this.#confirmed(fresh);
    const before = await this.#fewestBefore();
    if (before !== undefined) return this.#afterOthers(before);
    for (let left = FURTHER_EXECUTIONS; left > 0 && this.#more(); left--) {
      if (this.#recurs(await this.#onFreshSystem(failing))) {
        return { failing, volatile, unrepeated: { recurs: "fresh", why: CHANCE } };
      }
    }
    return { failing, volatile, unrepeated: { recurs: "never", why: NEVER } };
  }

  /** What differs between two executions on fresh systems differs by nature; what then differs on a used one does not. */
  async #confirmed(fresh: Replayed<State, Op>): Promise<ConfirmedExecution<State, Op>> {
    const again = await this.#onFreshSystem(fresh, { anyValue: true });
    const used = await this.#repeat(fresh, { volatile: again.volatile });
    const confirmed = { failing: fresh, volatile: used.volatile };
    const diverged = again.diverged ?? used.diverged;
    if (diverged === undefined) return confirmed;
    return { ...confirmed, unrepeated: { recurs: "fresh", why: differs(diverged) } };
  }

  async #afterOthers(
    before: readonly EarlierExecution<State, Op>[],
  ): Promise<ConfirmedExecution<State, Op>> {
    const found = await this.#repeat(this.#failing, { before });
    const { diverged, volatile } = await this.#repeat(found, { before, anyValue: true });
    const why = afterOthers(before.length, diverged);
    return { failing: found, volatile, before, unrepeated: { recurs: "after others", why } };
  }

  /**
   * The fewest earlier executions after which the rule is broken: the latest one, two, four and so on, and
   * then without each of these. Undefined if it never is.
   */
  async #fewestBefore(): Promise<readonly EarlierExecution<State, Op>[] | undefined> {
    if (this.#executor.startsFresh) return undefined;
    const { execution } = this.#failing;
    const known = this.#executor.before(execution);
    const { scenario, schedule } = execution;
    const earlier = known.length > 0 ? known : [{ scenario, schedule }];
    let fewest: readonly EarlierExecution<State, Op>[] | undefined;
    for (let count = 1; fewest === undefined && this.#more(); count *= 2) {
      const latest = earlier.slice(-count);
      if (await this.#recursAfter(latest)) fewest = latest;
      else if (count >= earlier.length) return undefined;
    }
    for (const left of fewest ?? []) {
      if (fewest === undefined || fewest.length === 1 || !this.#more()) break;
      const others = fewest.filter((other) => other !== left);
      if (await this.#recursAfter(others)) fewest = others;
    }
    return fewest;
  }

  async #recursAfter(before: readonly EarlierExecution<State, Op>[]): Promise<boolean> {
    return this.#recurs(await this.#repeat(this.#failing, { before }));
  }

  #recurs({ violations }: Replayed<State, Op>): boolean {
    const [rule] = this.#failing.violations;
    return violations.some(({ checker, name }) => checker === rule?.checker && name === rule.name);
  }

  async #onFreshSystem(
    failing: FailingExecution<State, Op>,
    options: RepeatOptions<State, Op> = {},
  ): Promise<Replayed<State, Op>> {
    await this.#executor.renew();
    return this.#repeat(failing, options);
  }

  #repeat(
    { execution, violations }: FailingExecution<State, Op>,
    options: RepeatOptions<State, Op>,
  ): Promise<Replayed<State, Op>> {
    const { scenario, schedule, trace } = execution;
    const recorded = { scenario, schedule, trace, violations, ...options };
    return replayChecked(this.#executor, this.#checkers, recorded);
  }
}

type RepeatOptions<State extends Json, Op extends Operation> = Pick<
  RecordedExecution<State, Op>,
  "before" | "anyValue" | "volatile"
>;

function differs(difference: string): string {
  return (
    "The rule is broken on a freshly started system too, but the execution does not repeat exactly: " +
    "something outlives an execution, such as what the service or a client's module keeps in memory. " +
    `Each replay therefore starts everything anew, and may still diverge. The difference: ${difference}.`
  );
}

function afterOthers(count: number, difference: string | undefined): string {
  const others = count === 1 ? "another execution" : `${count} other executions`;
  const repeats =
    difference === undefined
      ? "which the counterexample contains: a replay executes what it contains first"
      : `which the counterexample contains, and does not repeat exactly (the difference: ${difference})`;
  return (
    `The rule is broken only after ${others}, ${repeats}. It holds on a freshly started system: ` +
    "something outlives an execution, such as a cache, a pooled session, or what a client's module " +
    "keeps in memory. With --fresh the service is started, and the module loaded, for each execution."
  );
}

const CHANCE =
  "The rule is broken in some executions of this schedule on a freshly started system and not in " +
  "others, so the execution does not repeat itself: something that is not controlled decides, such as " +
  "the time, a timer or a random number. --check-determinism shows where it begins.";

const NEVER =
  "The rule was broken once, and not again under the same schedule, also not on a freshly started " +
  "system: something that is not controlled decides, or outlives an execution. Execute it with " +
  "--fresh, which starts the service for each execution, or with --check-determinism.";
