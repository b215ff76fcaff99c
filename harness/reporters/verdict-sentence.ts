import type { Campaign } from "../explorer/campaign.ts";
import { counted, number } from "./counted.ts";
import { printable } from "./printable.ts";

/** The verdict with its bounds, in words that may be quoted. */
export function verdictSentence(campaign: Campaign): string {
  const { executions, violations } = campaign;
  const within = `${counted(executions, "execution")} of ${scope(campaign)}`;
  switch (campaign.verdict) {
    case "pass":
      return `No violation in ${within}. ${extent(campaign)}`;
    case "fail":
      return `Violation in ${number(violations)} of ${within}: ${broken(campaign)}.`;
    case "unknown": {
      const reason = printable(campaign.reason ?? "no verdict was reached").replace(/\.$/, "");
      const found =
        violations === 0
          ? "No violation until then, but this is not a pass."
          : `Violation in ${number(violations)} of them: ${broken(campaign)}.`;
      return `Unknown: ${reason}, after ${within}. ${found}`;
    }
  }
}

/** What a pass stands for. */
function extent(campaign: Campaign): string {
  const { pairs, scenarios, coverage, control } = campaign;
  const everything = coverage.some((sentence) => sentence.includes("without a bound"));
  if (scenarios === 1 && everything) {
    const all = "These are all interleavings at these gates";
    return control.gates.includes("row")
      ? `${all}.`
      : `${all}; a race inside one statement shows with --gates statement,routine,row only.`;
  }
  const complete =
    pairs.length > 0 && pairs.length === scenarios && pairs.every((pair) => pair.complete);
  return complete
    ? `${counted(scenarios, "pair")} of operations, each searched to the end ${bound(campaign)}; other scenarios were not.`
    : "A sample, not a proof.";
}

function bound({ settings }: Campaign): string {
  const { preemptions = null } = settings ?? {};
  return preemptions === null
    ? "without a bound"
    : `with at most ${counted(preemptions, "preemption")}`;
}

/** What was verified: `booking`, or `booking with the seeded bug check-then-insert`. */
export function serviceName(campaign: Pick<Campaign, "service" | "mutant">): string {
  const { service, mutant } = campaign;
  return printable(mutant === null ? service : `${service} with the seeded bug ${mutant}`);
}

function scope(campaign: Campaign): string {
  const { min, max } = campaign.clients;
  const clients = min === max ? counted(min, "client") : `${min} to ${max} clients`;
  const { gates, isolation } = campaign.control;
  const how = `seed ${campaign.seed}, strategy ${campaign.strategy}, gates: ${gates.join(" and ")}, ${isolation}`;
  return `${counted(campaign.scenarios, "scenario")} with ${clients} (${printable(how)})`;
}

function broken(campaign: Campaign): string {
  const rules = campaign.rules.filter((rule) => rule.violated > 0);
  return printable(rules.map((rule) => rule.name).join(", "));
}
