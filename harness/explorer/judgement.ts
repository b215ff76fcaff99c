import type { Command } from "../core/command.ts";
import type { Execution } from "../core/execution.ts";
import type { Json } from "../core/json.ts";
import type { Scenario } from "../core/scenario.ts";
import type { Violation } from "../core/verdict.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";

/** A rule that every execution is judged by. */
export interface Rule {
  readonly judge: string;
  readonly name: string;
  readonly description: string;
}

/** What a judge, or all of them, made of an execution. */
export interface Judgement {
  readonly violations: readonly Violation[];
  /** Why something could not be judged, such as a budget that ran out; undefined when all was. */
  readonly undecided?: string | undefined;
  /** Rules that the execution could not be held against; they do not count as checked. */
  readonly unjudged?: readonly Rule[];
}

/**
 * Executes a scenario for a judge that compares; the scheduler has to have begun. Such executions
 * are not judged, and are counted apart from those that were explored.
 */
export type Again<State extends Json, C extends Command> = (
  scenario: Scenario<State, C>,
  scheduler: Scheduler,
) => Promise<Execution<State, C>>;

/**
 * One judge of a campaign. The executions of one scenario come one after the other, with the same
 * scenario object; what they have in common can be kept from one to the next.
 */
export interface Judge<State extends Json, C extends Command> {
  readonly rules: readonly Rule[];
  judge(execution: Execution<State, C>, again: Again<State, C>): Judgement | Promise<Judgement>;
}
