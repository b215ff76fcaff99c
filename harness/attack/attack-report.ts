import { createHash } from "node:crypto";
import { LINEARIZABLE } from "../checkers/linearizability.ts";
import type { Operation } from "../core/operation.ts";
import type { Verdict, Violation } from "../core/verdict.ts";
import type { Attack, Target } from "../service/attack.ts";
import type { AttackResult } from "./run-attack.ts";

/** What an attack sent and found. All reports of an attack are made from this value. */
export interface AttackReport extends AttackProvenance {
  readonly service: string;
  readonly attack: { readonly name: string; readonly description: string };
  readonly verdict: Verdict;
  /** Why the verdict is `unknown`; null otherwise. */
  readonly reason: string | null;
  readonly seed: string;
  /** Addresses without user names and passwords. `database` is null if the attack had no access. */
  readonly target: { readonly url: string; readonly database: string | null };
  /** The number of requests that a round sends at once. */
  readonly concurrency: number;
  /** The requested number of rounds. */
  readonly iterations: number;
  /** The number of rounds that ran. */
  readonly rounds: number;
  readonly requests: number;
  readonly violations: number;
  /** The attack's rules, checked in each round; and linearizability, checked at most once. */
  readonly rules: readonly {
    readonly checker: string;
    readonly name: string;
    readonly description: string;
    readonly checked: number;
    readonly violated: number;
  }[];
  /** The first violation of each violated rule, with at most three rows of evidence. */
  readonly examples: readonly Violation[];
  /** Responses by operation, then by code. */
  readonly responses: { readonly [operation: string]: { readonly [code: string]: number } };
  readonly latencies: readonly LatencyPercentiles[];
  /** SHA-256 over the seed and the code of each response, in order. */
  readonly digest: string;
}

/** When and where an attack ran. */
export interface AttackProvenance {
  /** ISO 8601. */
  readonly startedAt: string;
  readonly elapsedMs: number;
  readonly environment: {
    readonly heddle: string;
    readonly node: string;
    readonly platform: string;
    readonly cpus: number;
  };
}

/** In ms, of the requests on one route, such as `of create by function`. */
export interface LatencyPercentiles {
  readonly route: string;
  readonly requests: number;
  readonly median: number;
  readonly p95: number;
  readonly p99: number;
}

const MAX_EVIDENCE = 3;

export function attackReport<Op extends Operation>(
  service: string,
  { name, description, rules }: Pick<Attack, "name" | "description" | "rules">,
  target: Target,
  result: AttackResult<Op>,
  provenance: AttackProvenance,
): AttackReport {
  const { iterations, rounds, calls, violations, unfinished, latencies, linearizability } = result;
  const { url, databaseUrl, seed, concurrency } = target;
  const failed = violations.length > 0;
  const codes = calls.map(({ response }) => response?.code ?? null);
  const checked = [
    ...rules.map((rule) => ({
      ...{ checker: "attack", name: rule.name, description: rule.description },
      checked: rounds,
    })),
    {
      ...LINEARIZABLE,
      description: "Some order of the overlapping requests explains every answer.",
      checked: linearizability === "not checked" ? 0 : 1,
    },
  ];
  return {
    service,
    attack: { name, description },
    verdict: failed ? "fail" : unfinished === undefined ? "pass" : "unknown",
    reason: failed ? null : (unfinished ?? null),
    seed,
    target: {
      url: withoutCredentials(url),
      database: databaseUrl === undefined ? null : withoutCredentials(databaseUrl),
    },
    ...{ concurrency, iterations, rounds, requests: calls.length },
    violations: violations.length,
    rules: checked.map((rule) => ({
      ...rule,
      violated: violations.filter((violation) => violation.name === rule.name).length,
    })),
    examples: firstOfEachRule(violations),
    responses: countResponses(calls),
    latencies: percentiles(latencies),
    digest: createHash("sha256")
      .update(JSON.stringify([seed, codes]))
      .digest("hex"),
    ...provenance,
  };
}

function countResponses(calls: AttackResult<Operation>["calls"]): AttackReport["responses"] {
  const counts: Record<string, Record<string, number>> = {};
  for (const { operation, response } of calls) {
    const codes = counts[operation.name] ?? {};
    counts[operation.name] = codes;
    const code = response?.code ?? "(no answer)";
    codes[code] = (codes[code] ?? 0) + 1;
  }
  return counts;
}

/** By the nearest-rank method. */
export function percentiles(
  latencies: AttackResult<Operation>["latencies"],
): readonly LatencyPercentiles[] {
  return [...new Set(latencies.map(({ route }) => route))].map((route) => {
    const sorted = latencies
      .flatMap((it) => (it.route === route ? it.ms : []))
      .sort((a, b) => a - b);
    const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
    return { route, requests: sorted.length, median: at(0.5), p95: at(0.95), p99: at(0.99) };
  });
}

function firstOfEachRule(violations: readonly Violation[]): readonly Violation[] {
  return violations
    .filter(({ name }, at) => violations.findIndex((other) => other.name === name) === at)
    .map((violation) => ({ ...violation, evidence: violation.evidence.slice(0, MAX_EVIDENCE) }));
}

/** `http://host:3000/path`: a URL can have a password before the host, and in its parameters. */
export function withoutCredentials(url: string): string {
  const { protocol, host, pathname, searchParams } = new URL(url);
  return `${protocol}//${host || (searchParams.get("host") ?? "")}${pathname === "/" ? "" : pathname}`;
}
