import { HarnessError } from "../core/error.ts";
import type { Execution } from "../core/execution.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Violation } from "../core/verdict.ts";
import type { CheckedService, Checker, CheckResult, Reexecute, Rule, RuleName } from "./checker.ts";
import { contractChecker } from "./contract.ts";
import { invariantChecker } from "./invariants.ts";
import { leaksChecker } from "./leaks.ts";
import { linearizabilityChecker } from "./linearizability.ts";
import { serialEquivalenceChecker } from "./serial-equivalence.ts";

/** The names of all checkers, in the order in which they are applied. */
export const CHECKERS = [
  "invariant",
  "contract",
  "leaks",
  "linearizability",
  "serial-equivalence",
] as const;

/** The name of a checker. docs/design/consistency.md says what each one checks. */
export type CheckerName = (typeof CHECKERS)[number];

/** Makes a checker for a service, or names what the service declares that rules it out. */
type CheckerFactory = <State extends Json, Op extends Operation>(
  service: CheckedService<State, Op>,
) => Checker<State, Op> | { readonly obstacle: string };

const FACTORIES: { readonly [name in CheckerName]: CheckerFactory } = {
  invariant: ({ invariants, queries }) => invariantChecker(invariants, queries),
  contract: (service) => contractChecker(service),
  leaks: ({ ownSessions }) =>
    ownSessions ? { obstacle: "sessions that end with each execution" } : leaksChecker(),
  linearizability: ({ model, clientNames }) =>
    model === undefined ? { obstacle: "no model" } : linearizabilityChecker(model, clientNames),
  "serial-equivalence": ({ ids, model, aborts }) =>
    ids === undefined ? { obstacle: "no ids" } : serialEquivalenceChecker(ids, model, aborts),
};

/**
 * The checkers of these names that apply to a service. Default: all.
 *
 * @throws HarnessError `USAGE` if none of them applies: no execution could ever fail
 */
export function checkersOf<State extends Json, Op extends Operation>(
  service: CheckedService<State, Op>,
  names: readonly CheckerName[] = CHECKERS,
): readonly Checker<State, Op>[] {
  const checkers = names.flatMap((name) => {
    const made = FACTORIES[name](service);
    return "obstacle" in made ? [] : made;
  });
  if (checkers.length > 0) return checkers;
  const why = cannotCheck(service, names).join(" ");
  throw new HarnessError("USAGE", `${why} Name other checkers.`);
}

/** Which of the checkers do not apply to a service, and why, in sentences. */
export function cannotCheck<State extends Json, Op extends Operation>(
  service: CheckedService<State, Op>,
  names: readonly CheckerName[],
): readonly string[] {
  return names.flatMap((name) => {
    const made = FACTORIES[name](service);
    return "obstacle" in made
      ? `Nothing is checked by ${name}: "${service.name}" declares ${made.obstacle}.`
      : [];
  });
}

/** All checkers of a campaign. */
export class Checkers<State extends Json, Op extends Operation> {
  readonly rules: readonly Rule[];
  readonly #checkers: readonly Checker<State, Op>[];

  constructor(checkers: readonly Checker<State, Op>[]) {
    this.#checkers = checkers;
    this.rules = checkers.flatMap(({ rules }) => rules);
  }

  /**
   * Applies every checker to an execution.
   *
   * @throws HarnessError `SERVICE_FAILED` if a checker throws
   */
  async check(
    execution: Execution<State, Op>,
    reexecute: Reexecute<State, Op>,
  ): Promise<CheckResult> {
    return this.#apply(this.#checkers, execution, reexecute);
  }

  /**
   * Applies the checker of one rule, for shrinking: all that this checker finds if the execution
   * breaks the rule, else nothing.
   */
  async checkRule(
    rule: RuleName,
    execution: Execution<State, Op>,
    reexecute: Reexecute<State, Op>,
  ): Promise<readonly Violation[]> {
    const checkers = this.#checkers.filter(({ rules }) =>
      rules.some((other) => covers(other, rule)),
    );
    const { violations } = await this.#apply(checkers, execution, reexecute);
    return violations.some((other) => isSameRule(rule, other)) ? violations : [];
  }

  async #apply(
    checkers: readonly Checker<State, Op>[],
    execution: Execution<State, Op>,
    reexecute: Reexecute<State, Op>,
  ): Promise<CheckResult> {
    const violations: Violation[] = [];
    const unchecked: Rule[] = [];
    let undecided: string | undefined;
    for (const checker of checkers) {
      const result = await attributedToChecker(async () => checker.check(execution, reexecute));
      violations.push(...result.violations);
      unchecked.push(...(result.unchecked ?? []));
      undecided ??= result.undecided;
    }
    return { violations, undecided, unchecked };
  }
}

/**
 * Checkers that apply these rules alone; a checker without any of them is left out.
 *
 * @throws HarnessError `USAGE` for a rule that no checker has
 */
export function restrictedTo<State extends Json, Op extends Operation>(
  rules: readonly RuleName[],
  checkers: readonly Checker<State, Op>[],
): readonly Checker<State, Op>[] {
  const includes = (all: readonly Rule[], one: RuleName) => all.some((rule) => covers(rule, one));
  const missing = rules.find((rule) => !checkers.some((checker) => includes(checker.rules, rule)));
  if (missing !== undefined) {
    throw new HarnessError("USAGE", `there is no rule ${missing.checker}/${missing.name}`);
  }
  return checkers.flatMap((checker) => {
    const own = checker.rules.filter((rule) => rules.some((one) => covers(rule, one)));
    if (own.length === 0) return [];
    const check: Checker<State, Op>["check"] = async (execution, reexecute) => {
      const { violations, unchecked = [], ...rest } = await checker.check(execution, reexecute);
      return {
        ...rest,
        violations: violations.filter(
          (violation) =>
            rules.some((one) => isSameRule(one, violation)) ||
            own.some(
              (rule) => covers(rule, violation) && rules.some((one) => isSameRule(one, rule)),
            ),
        ),
        unchecked: unchecked.filter((rule) => includes(own, rule)),
      };
    };
    return [{ rules: own, check }];
  });
}

/** Whether violations of that name break the rule. */
function covers(rule: Rule, { checker, name }: RuleName): boolean {
  if (rule.checker !== checker) return false;
  return rule.name === name || (rule.prefix !== undefined && name.startsWith(rule.prefix));
}

function isSameRule(a: RuleName, b: RuleName): boolean {
  return a.checker === b.checker && a.name === b.name;
}

/** Puts the violations of one rule first: a counterexample is named after its first violation. */
export function ruleFirst(
  rule: RuleName | undefined,
  violations: readonly Violation[],
): readonly Violation[] {
  if (rule === undefined) return violations;
  return [
    ...violations.filter((other) => isSameRule(rule, other)),
    ...violations.filter((other) => !isSameRule(rule, other)),
  ];
}

async function attributedToChecker<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof HarnessError) throw cause;
    throw new HarnessError(
      "SERVICE_FAILED",
      `checking an execution failed: ${String(cause)}; what breaks a rule is returned, not thrown`,
      { cause },
    );
  }
}
