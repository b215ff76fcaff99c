interface Rule {
  readonly checker: string;
  readonly name: string;
}

/** As it was counted while exploring. */
export interface CountedRule extends Rule {
  readonly checked: number;
  readonly violated: number;
}

/**
 * What became of a rule. Shrinking, which is not counted, can lead to rules that nothing broke while
 * exploring; and one that was never applied has not been kept.
 *
 * @param shown what the counterexamples break
 */
export function ruleOutcome(
  { checker, name, checked, violated }: CountedRule,
  shown: readonly Rule[],
): "broken" | "kept" | "not applied" {
  if (violated > 0) return "broken";
  if (shown.some((its) => its.checker === checker && its.name === name)) return "broken";
  return checked > 0 ? "kept" : "not applied";
}
