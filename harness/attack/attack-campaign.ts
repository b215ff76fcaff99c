import { createHash } from "node:crypto";
import type { Operation } from "../core/operation.ts";
import type { Violation } from "../core/verdict.ts";
import type { Campaign, Environment } from "../explorer/campaign.ts";
import type { Attack, Target } from "../service/attack.ts";
import { type AttackResult, LINEARIZABLE } from "./run-attack.ts";

/** An attack as a campaign, so that it is reported as any other: one without any control. */
export function attackCampaign<Op extends Operation>(
  model: string,
  attack: Attack,
  target: Target,
  result: AttackResult<Op>,
  { startedAt, elapsedMs, environment }: Timing,
): Campaign {
  const { rounds, calls, violations, unfinished, latencies } = result;
  const responses: Record<string, Record<string, number>> = {};
  for (const { operation, response } of calls) {
    const codes = responses[operation.name] ?? {};
    responses[operation.name] = codes;
    const code = response?.code ?? "(no answer)";
    codes[code] = (codes[code] ?? 0) + 1;
  }
  const rules = [...attack.rules.map((rule) => ({ checker: "attack", ...rule })), LINEARIZABLE];
  const failed = violations.length > 0;
  const text = JSON.stringify([target.seed, calls.map(({ response }) => response?.code)]);
  return {
    service: model,
    mutant: null,
    verdict: failed ? "fail" : unfinished === undefined ? "pass" : "unknown",
    reason: failed ? null : (unfinished ?? null),
    seed: seedNumber(target.seed),
    strategy: `attack ${attack.name}`,
    settings: null,
    control: { gates: ["statement"], isolation: "read committed" },
    clients: { min: target.concurrency, max: target.concurrency },
    startedAt,
    elapsedMs,
    scenarios: rounds,
    executions: rounds,
    executionsPerSecond: rounds / Math.max(elapsedMs / 1000, 0.001),
    compared: 0,
    steps: calls.length,
    preemptions: 0,
    waits: 0,
    deadlocks: 0,
    faults: {},
    mixes: {},
    executionsByWaits: {},
    saturation: [],
    executionsByClients: rounds === 0 ? {} : { [target.concurrency]: rounds },
    violations: violations.length,
    rules: rules.map((rule) => ({
      ...rule,
      checked: rounds,
      violated: violations.filter(({ name }) => name === rule.name).length,
    })),
    responses,
    patterns: [],
    pairs: [],
    regressions: [],
    counterexamples: [],
    coverage: [...latencySentences(latencies), ...firstOfEach(violations)],
    controlled: ["What is sent at once, by whom and which way: it derives from the seed."],
    uncontrolled: [
      "In which order the requests met: the target ran as it runs, and nothing was held back. " +
        "A pass says that these rounds did no harm; a search of interleavings says more.",
    ],
    environment,
    hashes: {},
    routines: {},
    digest: createHash("sha256").update(text).digest("hex"),
  };
}

export interface Timing {
  readonly startedAt: string;
  readonly elapsedMs: number;
  readonly environment: Environment;
}

/** A 32-bit number of a text. */
function seedNumber(text: string): number {
  return createHash("sha256").update(text).digest().readInt32BE();
}

/** Each way's median, and what one in twenty and one in a hundred took longer than. */
export function latencySentences(
  latencies: AttackResult<Operation>["latencies"],
): readonly string[] {
  const ways = [...new Set(latencies.map(({ way }) => way))];
  return ways.map((way) => {
    const sorted = latencies.flatMap((it) => (it.way === way ? it.ms : [])).sort((a, b) => a - b);
    const at = (share: number) => {
      const index = Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1);
      return `${(sorted[Math.max(0, index)] ?? 0).toFixed(1)} ms`;
    };
    return `Latency ${way}: ${at(0.5)} at the median, ${at(0.95)} at the 95th percentile, ${at(0.99)} at the 99th, of ${sorted.length}.`;
  });
}

/** There is no schedule to replay; so what was wrong is told here. */
function firstOfEach(violations: readonly Violation[]): readonly string[] {
  const names = [...new Set(violations.map(({ name }) => name))];
  return names.map((name) => {
    const its = violations.filter((violation) => violation.name === name);
    const [first] = its;
    const rows = JSON.stringify(first?.evidence.slice(0, 3) ?? []);
    return `${name}, ${its.length} times, first: ${first?.message} ${rows}`;
  });
}
