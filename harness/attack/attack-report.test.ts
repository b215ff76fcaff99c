import { expect, test } from "vitest";
import type { Violation } from "../core/verdict.ts";
import { attackReport, percentiles, withoutCredentials } from "./attack-report.ts";
import type { AttackResult } from "./run-attack.ts";

const attack = { name: "double", description: "", rules: [{ name: "one", description: "One." }] };
const target = { url: "http://a:b@host:1/", databaseUrl: undefined, concurrency: 2, seed: "s" };
const provenance = {
  ...{ startedAt: "2026-05-04T10:20:30.000Z", elapsedMs: 5 },
  environment: { heddle: "0.1.0", node: "24", platform: "linux", cpus: 2 },
};
const call = (code: string | undefined) => ({
  ...{ client: 0, index: 0, operation: { name: "create" }, invokedAt: 0, returnedAt: 1 },
  response: code === undefined ? undefined : ({ outcome: "ok", code, body: null } as const),
});
const result: AttackResult<{ name: string }> = {
  ...{ iterations: 3, rounds: 3, latencies: [], violations: [], linearizability: "ok" },
  ...{ calls: [call("OK"), call("OK"), call(undefined)], unfinished: undefined, error: undefined },
};
const report = (changes: Partial<typeof result>) =>
  attackReport("shop", attack, target, { ...result, ...changes }, provenance);
const violation: Violation = {
  ...{ checker: "attack", name: "one", message: "two" },
  evidence: [{ id: 1 }, { id: 2 }, { id: 3 }, { id: 4 }],
};

test("a report counts requests, responses, and what was checked", () => {
  expect(report({})).toMatchObject({
    ...{ verdict: "pass", reason: null, requests: 3, violations: 0, examples: [] },
    target: { url: "http://host:1", database: null },
    responses: { create: { OK: 2, "(no answer)": 1 } },
    rules: [
      { checker: "attack", name: "one", checked: 3, violated: 0 },
      { checker: "linearizability", name: "linearizable", checked: 1, violated: 0 },
    ],
  });
});

test("a linearizability check that did not take place is not counted", () => {
  expect(report({ linearizability: "not checked" }).rules[1]).toMatchObject({ checked: 0 });
});

test("an unfinished attack is unknown, unless it found a violation", () => {
  const unfinished = "interrupted";
  expect(report({ unfinished })).toMatchObject({ verdict: "unknown", reason: "interrupted" });
  const failed = report({ unfinished, violations: [violation, violation] });
  expect(failed).toMatchObject({ verdict: "fail", reason: null, violations: 2 });
  expect(failed.rules[0]?.violated).toBe(2);
  expect(failed.examples).toEqual([{ ...violation, evidence: violation.evidence.slice(0, 3) }]);
});

test("latencies become percentiles for each route", () => {
  const latencies = Array.from({ length: 100 }, (_, at) => ({ route: "by a", ms: at + 1 }));
  expect(percentiles([...latencies.toReversed(), { route: "by b", ms: 7 }])).toEqual([
    { route: "by a", requests: 100, median: 50, p95: 95, p99: 99 },
    { route: "by b", requests: 1, median: 7, p95: 7, p99: 7 },
  ]);
  expect(percentiles([])).toEqual([]);
});

test.each([
  ["http://localhost:3000", "http://localhost:3000"],
  ["postgres://me:secret@db:5432/shop?password=secret", "postgres://db:5432/shop"],
  ["postgres:///shop?host=/var/run", "postgres:///var/run/shop"],
])("the address %s is reported without credentials", (url, address) => {
  expect(withoutCredentials(url)).toBe(address);
});
