import type { Checker } from "../checkers/checker.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Scenario } from "../core/scenario.ts";
import { keyOf } from "./tally.ts";

/** Until when a known violation fails no run, and why. */
export interface Acceptance {
  /** The last day, as `2030-01-31`, in UTC. */
  readonly until: string;
  readonly because: string;
}

/** What is known of an accepted violation: plain JSON. */
export interface AcceptedViolation {
  readonly scenario: Scenario;
  readonly violation: { readonly checker: string; readonly name: string };
}

/** Whether an acceptance still counts at a time. */
export function isInForce({ until }: Acceptance, now: Date): boolean {
  return now.toISOString().slice(0, 10) <= until;
}

/**
 * The checkers without what is accepted: a violation of the same rule, in a scenario that has the operations of
 * the accepted one. Another race of the same operations that breaks the same rule is not told apart.
 */
export function withoutAccepted<State extends Json, Op extends Operation>(
  checkers: readonly Checker<State, Op>[],
  accepted: readonly AcceptedViolation[],
): readonly Checker<State, Op>[] {
  if (accepted.length === 0) return checkers;
  return checkers.map((checker) => ({
    rules: checker.rules,
    async check(execution, reexecute) {
      const { violations, ...rest } = await checker.check(execution, reexecute);
      const known = accepted.filter(({ scenario }) => contains(execution.scenario, scenario));
      const rules = new Set(known.map(({ violation }) => keyOf(violation)));
      return { ...rest, violations: violations.filter((one) => !rules.has(keyOf(one))) };
    },
  }));
}

/** Whether a scenario has all operations of another one, by their names. */
function contains(scenario: Scenario, part: Scenario): boolean {
  const names = namesIn(scenario);
  return namesIn(part).every((name) => {
    const at = names.indexOf(name);
    if (at >= 0) names.splice(at, 1);
    return at >= 0;
  });
}

function namesIn({ clients }: Scenario): string[] {
  return clients.flat().map(({ name }) => name);
}

/** What a report says about a violation that was accepted. */
export function acceptanceSentence(
  file: string,
  { violation, scenario }: AcceptedViolation,
  { until, because }: Acceptance,
  now: { readonly inForce: boolean; readonly occurs: boolean },
): string {
  const what = `${violation.name} of ${namesIn(scenario).join(" × ")} (${file})`;
  const why = `${until}: ${because.replace(/[.\s]+$/, "")}`;
  if (!now.occurs)
    return `Accepted and gone: ${what} no longer fails; remove it with heddle regressions --prune.`;
  if (!now.inForce) return `No longer accepted: ${what} was accepted until ${why}.`;
  return `Accepted: ${what} occurs, and fails no run until ${why}.`;
}
