import type { Execution } from "../core/execution.ts";
import type { Response } from "../core/history.ts";
import type { IdFields } from "../core/ids.ts";
import type { Json } from "../core/json.ts";
import type { Model } from "../core/model.ts";
import type { Operation } from "../core/operation.ts";
import type { Scenario } from "../core/scenario.ts";
import type { Invariant, Violation } from "../core/verdict.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";

/** A rule that every execution is checked by. */
export interface Rule {
  readonly checker: string;
  readonly name: string;
  readonly description: string;
  /** Its violations have names of their own that begin so. Default: they have its name. */
  readonly prefix?: string;
}

/** Identifies a rule: rules of different checkers may have the same name. */
export type RuleName = Pick<Rule, "checker" | "name">;

/** The result of one checker, or of all of them, for one execution. */
export interface CheckResult {
  readonly violations: readonly Violation[];
  /** Why something could not be checked, such as an exhausted budget; undefined if all was. */
  readonly undecided?: string | undefined;
  /** Rules that do not apply to the execution; they do not count as checked. */
  readonly unchecked?: readonly Rule[];
}

/**
 * Executes a scenario for a checker that compares executions; the scheduler has to have begun. The
 * campaign counts such executions apart from the explored ones and does not check them.
 */
export type Reexecute<State extends Json, Op extends Operation> = (
  scenario: Scenario<State, Op>,
  scheduler: Scheduler,
) => Promise<Execution<State, Op>>;

/**
 * One checker of a campaign. To add one:
 *
 * 1. Write a file in this folder with a function that returns a `Checker`, and with a rule for each
 *    property that it checks. `leaks.ts` is a short example. `check` returns violations; it throws
 *    only for errors of its own. If it needs something that a service may lack, such as a model,
 *    take that as a parameter.
 * 2. Add its name to `CHECKERS` and its function to `FACTORIES` in `registry.ts`. Everything else
 *    (the option `--checkers`, reports, shrinking, replay) follows from there.
 * 3. Test it beside its file with executions that it must accept and executions that it must reject,
 *    and seed a bug in `models/booking/mutants` that only this checker catches.
 *
 * `check` gets the executions of one scenario one after the other, with the same scenario object, so
 * that a checker can reuse what they have in common.
 */
export interface Checker<State extends Json, Op extends Operation> {
  readonly rules: readonly Rule[];
  check(
    execution: Execution<State, Op>,
    reexecute: Reexecute<State, Op>,
  ): CheckResult | Promise<CheckResult>;
}

/** What checkers use of a service; see `Service` for its members. */
export interface CheckedService<State extends Json = Json, Op extends Operation = Operation> {
  readonly name: string;
  readonly invariants: readonly Invariant[];
  readonly queries?: readonly { readonly name: string }[];
  readonly codes: { readonly [operation: string]: readonly string[] };
  expects?(operation: string, response: Response): boolean;
  unexpected?(operation: string, response: Response): string | undefined;
  readonly model?: Model<unknown, State, Op>;
  readonly ids?: IdFields;
  readonly aborts?: readonly string[];
  readonly ownSessions?: boolean;
  readonly ownProcess?: boolean;
  readonly clientNames?: readonly string[];
}
