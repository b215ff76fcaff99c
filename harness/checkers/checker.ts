import type { Execution } from "../core/execution.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Scenario } from "../core/scenario.ts";
import type { Violation } from "../core/verdict.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";

/** A rule that every execution is checked by. */
export interface Rule {
  readonly checker: string;
  readonly name: string;
  readonly description: string;
}

/** What a checker, or all of them, made of an execution. */
export interface CheckResult {
  readonly violations: readonly Violation[];
  /** Why something could not be checked, such as a budget that ran out; undefined when all was. */
  readonly undecided?: string | undefined;
  /** Rules that the execution could not be held against; they do not count as checked. */
  readonly unchecked?: readonly Rule[];
}

/**
 * Executes a scenario for a checker that compares; the scheduler has to have begun. Such executions
 * are not checked, and are counted apart from those that were explored.
 */
export type Again<State extends Json, Op extends Operation> = (
  scenario: Scenario<State, Op>,
  scheduler: Scheduler,
) => Promise<Execution<State, Op>>;

/**
 * One checker of a campaign. The executions of one scenario come one after the other, with the same
 * scenario object; what they have in common can be kept from one to the next.
 */
export interface Checker<State extends Json, Op extends Operation> {
  readonly rules: readonly Rule[];
  check(
    execution: Execution<State, Op>,
    again: Again<State, Op>,
  ): CheckResult | Promise<CheckResult>;
}
