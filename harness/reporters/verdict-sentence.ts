import { GATE_NAMES } from "../core/control.ts";
import type { Campaign } from "../explorer/campaign.ts";
import { formatNumber, printable, quantity } from "./format-values.ts";
import { violatedRules } from "./outcomes.ts";

/** `booking`, or `booking with the seeded bug check-then-insert`. */
export function serviceName({ service, mutant }: Pick<Campaign, "service" | "mutant">): string {
  return printable(mutant === null ? service : `${service} with the seeded bug ${mutant}`);
}

/** The verdict, what was executed, and what that covers, in words that can be quoted. */
export function verdictSentence(campaign: Campaign): string {
  const { verdict, reason, executions, violations } = campaign;
  const executed = `${quantity(executions, "execution")} of ${scope(campaign)}`;
  const rules = printable(violatedRules(campaign.rules).join(", "));
  switch (verdict) {
    case "pass":
      return `No violation in ${executed}. ${coverageSentence(campaign)}`;
    case "fail": {
      const again = regressionSentence(campaign);
      if (violations === 0) return `${again} No violation in ${executed}.`;
      const found = `Violation in ${formatNumber(violations)} of ${executed}: ${rules}.`;
      return again === "" ? found : `${found} ${again}`;
    }
    case "unknown":
      return unknownSentence(
        reason,
        executed,
        violations === 0 ? undefined : `${formatNumber(violations)} of them: ${rules}`,
      );
  }
}

/** `1 stored regression violates its rule again: lost update.`; empty if there is none. */
function regressionSentence({ regressions }: Campaign): string {
  const failing = regressions.filter(({ outcome }) => outcome === "fails");
  if (failing.length === 0) return "";
  const [violate, their] = failing.length === 1 ? ["violates", "its"] : ["violate", "their"];
  const rules = [...new Set(failing.map(({ rule }) => printable(rule)))].join(", ");
  return `${quantity(failing.length, "stored regression")} ${violate} ${their} rule again: ${rules}.`;
}

/**
 * @param executed what was executed before the end
 * @param violated which part of it violated which rules; undefined if none did
 */
export function unknownSentence(
  reason: string | null,
  executed: string,
  violated: string | undefined,
): string {
  const why = printable(reason ?? "no verdict was reached").replace(/\.$/, "");
  const result =
    violated === undefined
      ? "No violation until then, but this is not a pass."
      : `Violation in ${violated}.`;
  return `Unknown: ${why}, after ${executed}. ${result}`;
}

function scope(campaign: Campaign): string {
  const { min, max } = campaign.clients;
  const clients = min === max ? quantity(min, "client") : `${min} to ${max} clients`;
  const { gates, isolation } = campaign.control;
  const held = isComplete(gates) ? "all gates" : `gates: ${gates.join(" and ")}`;
  const how = `seed ${campaign.seed}, strategy ${campaign.strategy}, ${held}, ${isolation}`;
  return `${quantity(campaign.scenarios, "scenario")} with ${clients} (${printable(how)})`;
}

/** How much of the interleavings the executions of a pass are. */
function coverageSentence(campaign: Campaign): string {
  const { pairs, scenarios, coverage, control } = campaign;
  const unbounded = coverage.some((sentence) => sentence.includes("without a bound"));
  if (scenarios === 1 && unbounded) {
    const fair = coverage.some((sentence) => sentence.includes("fair interleavings"));
    const all = `These are all ${fair ? "fair " : ""}interleavings at these gates${butFor(campaign)}`;
    return isComplete(control.gates) ? `${all}.` : `${all}; --gates all has more.`;
  }
  const complete =
    pairs.length > 0 && pairs.length === scenarios && pairs.every((pair) => pair.complete);
  return complete
    ? `${scenarios === 1 ? "The pair" : `Each of the ${quantity(scenarios, "pair")}`} of operations was searched completely ${bound(campaign)}${butFor(campaign)}; other scenarios were not executed.`
    : "This is a sample of the possible interleavings, not a proof.";
}

/** `, but for the exclusion constraint on e: sampled 200 times`; empty if no clients can race without a gate. */
function butFor({ ungated }: Campaign): string {
  const parts = ungated.flatMap(({ name, sampled }) => {
    if (sampled === 0) return [];
    const how = sampled === null ? ", which has no gate" : `: sampled ${quantity(sampled, "time")}`;
    return `${printable(name)}${how}`;
  });
  return parts.length === 0 ? "" : `, but for ${parts.join(", and for ")}`;
}

function isComplete(gates: Campaign["control"]["gates"]): boolean {
  return GATE_NAMES.every((name) => gates.includes(name));
}

function bound({ settings: { preemptions } }: Campaign): string {
  return preemptions === null
    ? "without a bound"
    : `with at most ${quantity(preemptions, "preemption")}`;
}
