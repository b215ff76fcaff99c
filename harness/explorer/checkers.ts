import type { Again, Checker, CheckResult, Rule } from "../checkers/checker.ts";
import { CONTRACT_RULES, checkContract } from "../checkers/contract.ts";
import { checkInvariants } from "../checkers/invariants.ts";
import { checkLeaks, LEAK_RULES } from "../checkers/leaks.ts";
import { checkLinearizability, LINEARIZABLE } from "../checkers/linearizability.ts";
import { noRows } from "../checkers/no-rows.ts";
import { HarnessError } from "../core/error.ts";
import type { Execution } from "../core/execution.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Violation } from "../core/verdict.ts";
import type { Service } from "../service/service.ts";
import { serialEquivalenceChecker } from "./serial-equivalence-checker.ts";

/** The checkers that there are. */
export const CHECKERS = [
  "invariant",
  "contract",
  "leaks",
  "linearizability",
  "serial-equivalence",
] as const;

export type CheckerName = (typeof CHECKERS)[number];

/**
 * The checkers of those names that can checker a service's executions. Throws HarnessError `USAGE` when
 * none of them can: nothing would ever be found.
 */
export function checkersOf<State extends Json, Op extends Operation>(
  service: Service<State, Op>,
  names: readonly CheckerName[] = CHECKERS,
): readonly Checker<State, Op>[] {
  const checkers = names.flatMap((name) => checkerOf(service, name) ?? []);
  if (checkers.length > 0) return checkers;
  const why = cannotCheck(service, names).join(" ");
  throw new HarnessError("USAGE", `${why} Name other checkers.`);
}

/** Which of the checkers cannot checker a service's executions, and why, in sentences. */
export function cannotCheck<State extends Json, Op extends Operation>(
  { name, model, ids, ownSessions }: Service<State, Op>,
  names: readonly CheckerName[],
): readonly string[] {
  const without = {
    leaks: [ownSessions ? undefined : true, "sessions that end with each execution"],
    linearizability: [model, "no model"],
    "serial-equivalence": [ids, "no ids"],
  };
  return names.flatMap((checker) => {
    const [given, what] = (checker in without && without[checker as keyof typeof without]) || [
      true,
    ];
    return given === undefined
      ? `Nothing is checked by ${checker}: "${name}" declares ${what}.`
      : [];
  });
}

function checkerOf<State extends Json, Op extends Operation>(
  service: Service<State, Op>,
  name: CheckerName,
): Checker<State, Op> | undefined {
  const { queries = [], model, ids, aborts } = service;
  const rule = (name: string, description: string, checker: CheckerName): Rule => ({
    checker,
    name,
    description,
  });
  const invariants = [...service.invariants, ...queries.map((query) => noRows(query.name))];
  switch (name) {
    case "invariant":
      return {
        rules: invariants.map((it) => rule(it.name, it.description, "invariant")),
        check: (execution) => ({ violations: checkInvariants(execution, invariants) }),
      };
    case "contract":
      return {
        rules: Object.entries(CONTRACT_RULES).map(([name, description]) =>
          rule(name, description, "contract"),
        ),
        check: (execution) => ({ violations: checkContract(execution, service) }),
      };
    case "leaks":
      if (service.ownSessions) return undefined;
      return {
        rules: Object.entries(LEAK_RULES).map(([name, description]) =>
          rule(name, description, "leaks"),
        ),
        check: (execution) => ({ violations: checkLeaks(execution) }),
      };
    case "linearizability":
      return (
        model && {
          rules: [LINEARIZABLE],
          check: (execution) => checkLinearizability(execution, model),
        }
      );
    case "serial-equivalence":
      return ids && serialEquivalenceChecker(ids, model, aborts);
  }
}

/** All checkers of a campaign. */
export class Checkers<State extends Json, Op extends Operation> {
  readonly rules: readonly Rule[];
  readonly #checkers: readonly Checker<State, Op>[];

  constructor(checkers: readonly Checker<State, Op>[]) {
    this.#checkers = checkers;
    this.rules = checkers.flatMap(({ rules }) => rules);
  }

  /** All that an execution broke. Throws HarnessError `MODEL_FAILED` when a checker itself breaks. */
  async check(execution: Execution<State, Op>, again: Again<State, Op>): Promise<CheckResult> {
    return this.#ask(this.#checkers, execution, again);
  }

  /** What its checker found, if an execution broke that rule as well: for shrinking. */
  async likewise(
    rule: Violation,
    execution: Execution<State, Op>,
    again: Again<State, Op>,
  ): Promise<readonly Violation[]> {
    const its = this.#checkers.filter(({ rules }) => rules.some((other) => sameRule(rule, other)));
    const { violations } = await this.#ask(its, execution, again);
    return violations.some((other) => sameRule(rule, other)) ? violations : [];
  }

  async #ask(
    checkers: readonly Checker<State, Op>[],
    execution: Execution<State, Op>,
    again: Again<State, Op>,
  ): Promise<CheckResult> {
    const violations: Violation[] = [];
    const unchecked: Rule[] = [];
    let undecided: string | undefined;
    for (const checker of checkers) {
      const result = await blamed(async () => checker.check(execution, again));
      violations.push(...result.violations);
      unchecked.push(...(result.unchecked ?? []));
      undecided ??= result.undecided;
    }
    return { violations, undecided, unchecked };
  }
}

export type RuleName = Pick<Violation, "checker" | "name">;

/**
 * Checkers that know these rules alone. A checker that has none of them is left out.
 * @throws HarnessError `USAGE` for a rule that no checker has
 */
export function restrictedTo<State extends Json, Op extends Operation>(
  rules: readonly RuleName[],
  checkers: readonly Checker<State, Op>[],
): readonly Checker<State, Op>[] {
  const has = (all: readonly RuleName[], one: RuleName) => all.some((rule) => sameRule(rule, one));
  const missing = rules.find((rule) => !checkers.some((checker) => has(checker.rules, rule)));
  if (missing !== undefined) {
    throw new HarnessError("USAGE", `there is no rule ${missing.checker}/${missing.name}`);
  }
  return checkers.flatMap((checker) => {
    const own = checker.rules.filter((rule) => has(rules, rule));
    if (own.length === 0) return [];
    const check: Checker<State, Op>["check"] = async (execution, again) => {
      const { violations, unchecked = [], ...rest } = await checker.check(execution, again);
      return {
        ...rest,
        violations: violations.filter((violation) => has(own, violation)),
        unchecked: unchecked.filter((rule) => has(own, rule)),
      };
    };
    return [{ rules: own, check }];
  });
}

/** Whether both are of the same rule: what shrinking must not lose sight of. */
function sameRule(a: RuleName, b: RuleName): boolean {
  return a.checker === b.checker && a.name === b.name;
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
      `checking an execution failed: ${String(cause)}; what breaks a rule is returned, not thrown`,
      { cause },
    );
  }
}
