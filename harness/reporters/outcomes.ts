/*
 * The conclusions that every format draws from the counts of a campaign or an attack.
 */
import type { Campaign, PairSearch, PatternCount } from "../explorer/campaign.ts";
import { formatNumber } from "./format-values.ts";

interface RuleName {
  readonly checker: string;
  readonly name: string;
}

/** A rule, and how often it was checked and violated. A campaign and an attack both have these. */
export interface CountedRule extends RuleName {
  readonly description: string;
  /** See `Rule.prefix`. */
  readonly prefix?: string;
  readonly checked: number;
  readonly violated: number;
}

export type RuleOutcome = "violated" | "held" | "not checked";

/**
 * What the counts say of a rule. A counterexample can violate a rule that no counted execution
 * violated, because executions during shrinking are not counted. A rule that was never checked has
 * not held.
 *
 * @param reported the rules that the reported violations break
 */
export function ruleOutcome(
  { checker, name, prefix, checked, violated }: Omit<CountedRule, "description">,
  reported: readonly RuleName[],
): RuleOutcome {
  if (violated > 0) return "violated";
  const breaks = (other: RuleName) =>
    other.name === name ||
    (prefix !== undefined && !name.startsWith(prefix) && other.name.startsWith(prefix));
  if (reported.some((rule) => rule.checker === checker && breaks(rule))) return "violated";
  return checked > 0 ? "held" : "not checked";
}

/** The names of the rules that were violated. */
export function violatedRules(rules: readonly CountedRule[]): readonly string[] {
  return rules.filter(({ violated }) => violated > 0).map(({ name }) => name);
}

export type PatternOutcome = "reached" | "too few scenarios" | "missed";

/**
 * Whether a pattern has the share that the generator promises. `too few scenarios`: the share is
 * lower, and chance explains the difference.
 */
export function patternOutcome({ share, threshold, missed }: PatternCount): PatternOutcome {
  if (missed) return "missed";
  return share < threshold ? "too few scenarios" : "reached";
}

/** The cells of a searched pair of operations, as text. */
export function pairCells({ explored, complete, pruned, outcomes }: PairSearch) {
  const count = formatNumber(explored);
  return {
    explored: complete ? count : `${count}, not all`,
    pruned: pruned === null ? "–" : formatNumber(pruned),
    outcomes: formatNumber(outcomes),
  };
}

/** `cut-before 12, cut-after 9; enabled but never injected: cancel`, or `none enabled`. */
export function faultsLine({ faults, settings }: Pick<Campaign, "faults" | "settings">): string {
  const counts = Object.entries(faults).map(([fault, count]) => `${fault} ${count}`);
  const unused = settings.faults.filter((fault) => faults[fault] === undefined);
  const parts = [
    ...(counts.length === 0 ? [] : [counts.join(", ")]),
    ...(unused.length === 0 ? [] : [`enabled but never injected: ${unused.join(", ")}`]),
  ];
  return parts.join("; ") || "none enabled";
}
