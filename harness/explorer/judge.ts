import { CONTRACT_RULES, checkContract } from "../checkers/contract.ts";
import { checkInvariants } from "../checkers/invariants.ts";
import type { Command } from "../core/command.ts";
import { HarnessError } from "../core/error.ts";
import type { Execution } from "../core/execution.ts";
import type { Json } from "../core/json.ts";
import type { Violation } from "../core/verdict.ts";
import type { Executor } from "../execution/executor.ts";
import type { Subject } from "./subject.ts";

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
}

/**
 * Executes a scenario for a judge that compares; the scheduler has to have begun. Such executions
 * are not judged, and are counted apart from those that were explored.
 */
export type Again<State extends Json, C extends Command> = Executor<State, C>["execute"];

/**
 * One judge of a campaign. The executions of one scenario come one after the other, with the same
 * scenario object; what they have in common can be kept from one to the next.
 */
export interface Judge<State extends Json, C extends Command> {
  readonly rules: readonly Rule[];
  judge(execution: Execution<State, C>, again: Again<State, C>): Judgement | Promise<Judgement>;
}

/** The judges of a model's executions. */
export function judgesOf<State extends Json, C extends Command>(
  subject: Subject<State, C>,
): readonly Judge<State, C>[] {
  const { invariants, codes } = subject;
  return [
    {
      rules: invariants.map(({ name, description }) => ({
        judge: "invariant",
        name,
        description,
      })),
      judge: (execution) => ({ violations: checkInvariants(execution, invariants) }),
    },
    {
      rules: Object.entries(CONTRACT_RULES).map(([name, description]) => ({
        judge: "contract",
        name,
        description,
      })),
      judge: (execution) => ({ violations: checkContract(execution, codes) }),
    },
  ];
}

/** All judges of a campaign. */
export class Judges<State extends Json, C extends Command> {
  readonly rules: readonly Rule[];
  readonly #judges: readonly Judge<State, C>[];

  constructor(judges: readonly Judge<State, C>[]) {
    this.#judges = judges;
    this.rules = judges.flatMap(({ rules }) => rules);
  }

  /** All that an execution broke. Throws HarnessError `MODEL_FAILED` when a judge itself breaks. */
  async judge(execution: Execution<State, C>, again: Again<State, C>): Promise<Judgement> {
    return this.#ask(this.#judges, execution, again);
  }

  /** What its judge found, if an execution broke that rule as well: for shrinking. */
  async likewise(
    rule: Violation,
    execution: Execution<State, C>,
    again: Again<State, C>,
  ): Promise<readonly Violation[]> {
    const its = this.#judges.filter(({ rules }) => rules.some((other) => sameRule(rule, other)));
    const { violations } = await this.#ask(its, execution, again);
    return violations.some((other) => sameRule(rule, other)) ? violations : [];
  }

  async #ask(
    judges: readonly Judge<State, C>[],
    execution: Execution<State, C>,
    again: Again<State, C>,
  ): Promise<Judgement> {
    const violations: Violation[] = [];
    let undecided: string | undefined;
    for (const judge of judges) {
      const judgement = await blamed(async () => judge.judge(execution, again));
      violations.push(...judgement.violations);
      undecided ??= judgement.undecided;
    }
    return { violations, undecided };
  }
}

/** Whether both are of the same rule: what shrinking must not lose sight of. */
function sameRule(
  a: Pick<Violation, "judge" | "name">,
  b: Pick<Violation, "judge" | "name">,
): boolean {
  return a.judge === b.judge && a.name === b.name;
}

async function blamed<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof HarnessError) throw cause;
    throw new HarnessError(
      "MODEL_FAILED",
      `judging an execution failed: ${String(cause)}; what breaks a rule is returned, not thrown`,
      { cause },
    );
  }
}
