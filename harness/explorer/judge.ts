import { CONTRACT_RULES, checkContract } from "../checkers/contract.ts";
import { checkInvariants } from "../checkers/invariants.ts";
import { checkLinearizability, LINEARIZABLE } from "../checkers/linearizability.ts";
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

/** The judges that there are. */
export const JUDGES = ["invariant", "contract", "linearizability"] as const;

export type JudgeName = (typeof JUDGES)[number];

/**
 * The judges of those names that can judge a subject's executions: without a model there is nothing
 * to compare histories with. Throws HarnessError `USAGE` if that leaves none.
 */
export function judgesOf<State extends Json, C extends Command>(
  subject: Subject<State, C>,
  names: readonly JudgeName[] = JUDGES,
): readonly Judge<State, C>[] {
  const judges = names.flatMap((name) => judgeOf(subject, name) ?? []);
  if (judges.length > 0) return judges;
  throw new HarnessError(
    "USAGE",
    `${names.join(" and ")} cannot judge "${subject.name}", which has no model: name other judges`,
  );
}

function judgeOf<State extends Json, C extends Command>(
  { invariants, codes, model }: Subject<State, C>,
  name: JudgeName,
): Judge<State, C> | undefined {
  const rule = (name: string, description: string, judge: JudgeName): Rule => ({
    judge,
    name,
    description,
  });
  switch (name) {
    case "invariant":
      return {
        rules: invariants.map((it) => rule(it.name, it.description, "invariant")),
        judge: (execution) => ({ violations: checkInvariants(execution, invariants) }),
      };
    case "contract":
      return {
        rules: Object.entries(CONTRACT_RULES).map(([name, description]) =>
          rule(name, description, "contract"),
        ),
        judge: (execution) => ({ violations: checkContract(execution, codes) }),
      };
    case "linearizability":
      return (
        model && {
          rules: [LINEARIZABLE],
          judge: (execution) => checkLinearizability(execution, model),
        }
      );
  }
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
