import { CONTRACT_RULES, checkContract } from "../checkers/contract.ts";
import { checkHygiene, HYGIENE_RULES } from "../checkers/hygiene.ts";
import { checkInvariants } from "../checkers/invariants.ts";
import { checkLinearizability, LINEARIZABLE } from "../checkers/linearizability.ts";
import { noRows } from "../checkers/no-rows.ts";
import type { Command } from "../core/command.ts";
import { HarnessError } from "../core/error.ts";
import type { Execution } from "../core/execution.ts";
import type { Json } from "../core/json.ts";
import type { Violation } from "../core/verdict.ts";
import type { Again, Judge, Judgement, Rule } from "./judgement.ts";
import { serialJudge } from "./serial-judge.ts";
import type { Subject } from "./subject.ts";

/** The judges that there are. */
export const JUDGES = [
  "invariant",
  "contract",
  "hygiene",
  "linearizability",
  "serial-equivalence",
] as const;

export type JudgeName = (typeof JUDGES)[number];

/**
 * The judges of those names that can judge a subject's executions. Throws HarnessError `USAGE` when
 * none of them can: nothing would ever be found.
 */
export function judgesOf<State extends Json, C extends Command>(
  subject: Subject<State, C>,
  names: readonly JudgeName[] = JUDGES,
): readonly Judge<State, C>[] {
  const judges = names.flatMap((name) => judgeOf(subject, name) ?? []);
  if (judges.length > 0) return judges;
  const why = cannotJudge(subject, names).join(" ");
  throw new HarnessError("USAGE", `${why} Name other judges.`);
}

/** Which of the judges cannot judge a subject's executions, and why, in sentences. */
export function cannotJudge<State extends Json, C extends Command>(
  { name, model, ids, ownSessions }: Subject<State, C>,
  names: readonly JudgeName[],
): readonly string[] {
  const without = {
    hygiene: [ownSessions ? undefined : true, "sessions that end with each execution"],
    linearizability: [model, "no model"],
    "serial-equivalence": [ids, "no ids"],
  };
  return names.flatMap((judge) => {
    const [given, what] = (judge in without && without[judge as keyof typeof without]) || [true];
    return given === undefined ? `Nothing is judged by ${judge}: "${name}" declares ${what}.` : [];
  });
}

function judgeOf<State extends Json, C extends Command>(
  subject: Subject<State, C>,
  name: JudgeName,
): Judge<State, C> | undefined {
  const { queries = [], model, ids, aborts } = subject;
  const rule = (name: string, description: string, judge: JudgeName): Rule => ({
    judge,
    name,
    description,
  });
  const invariants = [...subject.invariants, ...queries.map((query) => noRows(query.name))];
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
        judge: (execution) => ({ violations: checkContract(execution, subject) }),
      };
    case "hygiene":
      if (subject.ownSessions) return undefined;
      return {
        rules: Object.entries(HYGIENE_RULES).map(([name, description]) =>
          rule(name, description, "hygiene"),
        ),
        judge: (execution) => ({ violations: checkHygiene(execution) }),
      };
    case "linearizability":
      return (
        model && {
          rules: [LINEARIZABLE],
          judge: (execution) => checkLinearizability(execution, model),
        }
      );
    case "serial-equivalence":
      return ids && serialJudge(ids, model, aborts);
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
    const unjudged: Rule[] = [];
    let undecided: string | undefined;
    for (const judge of judges) {
      const judgement = await blamed(async () => judge.judge(execution, again));
      violations.push(...judgement.violations);
      unjudged.push(...(judgement.unjudged ?? []));
      undecided ??= judgement.undecided;
    }
    return { violations, undecided, unjudged };
  }
}

type RuleName = Pick<Violation, "judge" | "name">;

/** Whether both are of the same rule: what shrinking must not lose sight of. */
function sameRule(a: RuleName, b: RuleName): boolean {
  return a.judge === b.judge && a.name === b.name;
}

/** Those of one rule first: a counterexample is called by the rule that it was shrunk for. */
export function ruleFirst(
  rule: RuleName | undefined,
  violations: readonly Violation[],
): readonly Violation[] {
  if (rule === undefined) return violations;
  const its = violations.filter((other) => sameRule(rule, other));
  return [...its, ...violations.filter((other) => !sameRule(rule, other))];
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
