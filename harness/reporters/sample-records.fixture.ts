import type { AttackReport } from "../attack/attack-report.ts";
import { doubleBooking, hashes } from "../explorer/sample-counterexample.fixture.ts";
import type { LayerCase, LayersOfDefence } from "../mutation/layers.ts";
import type { MutantResult, MutationScore } from "../mutation/mutation-score.ts";
import type { SeededBugReport, SeededBugResult } from "../mutation/seeded-bugs.ts";
import { passing } from "./sample-campaign.fixture.ts";

export const caught: SeededBugResult = {
  name: "no-lock",
  origin: "It was <slow>.",
  checker: "invariant",
  equivalent: null,
  gates: ["statement"],
  faults: [],
  outcome: "caught",
  checkers: [
    { checker: "contract", executions: 3, elapsedMs: 20 },
    { checker: "invariant", executions: 1_200, elapsedMs: 4_500 },
  ],
  executions: 1_200,
  elapsedMs: 4_500,
  counterexample: doubleBooking,
  smallest: { operations: 2, preemptions: 1 },
  replays: { identical: 20, of: 20 },
  reason: null,
};

const rest = { counterexample: null, smallest: null, replays: null, checkers: [] } as const;
export const survived: SeededBugResult = {
  ...caught,
  ...rest,
  name: "no-check",
  outcome: "survived",
};
const equivalent: SeededBugResult = {
  ...{ ...caught, ...rest, name: "no-index" },
  ...{ checker: null, equivalent: "The lock is enough.", outcome: "equivalent" },
};

export const seeded: SeededBugReport = {
  service: "booking",
  seed: 1,
  budget: { runs: 2_500, timeMs: null },
  allCheckers: false,
  verdict: "fail",
  elapsedMs: 12_000,
  results: [caught, survived, equivalent],
  baseline: [
    {
      gates: ["statement"],
      faults: [],
      verdict: "pass",
      executions: 9,
      elapsedMs: 50,
      checkers: [],
      reason: null,
    },
  ],
  untried: [],
  startedAt: "2026-05-03T09:00:00.000Z",
  environment: passing.environment,
  hashes,
};

const layerCase = (
  outcome: LayerCase["outcome"],
  without: readonly string[],
  rest: Partial<LayerCase> = {},
): LayerCase => ({
  ...{ without, outcome, reason: null, executions: 57, counterexample: null },
  ...rest,
});

const broken = { counterexample: doubleBooking };

export const layers: LayersOfDefence = {
  service: "booking",
  control: { gates: ["statement", "routine"], isolation: "read committed" },
  startedAt: "2026-05-03T08:00:00.000Z",
  environment: passing.environment,
  hashes,
  preemptions: 2,
  promises: [
    {
      name: "no double booking",
      statement: "No two active bookings <overlap>.",
      rules: [{ checker: "invariant", name: "overlapping_bookings" }],
      protections: [
        { name: "the lock", description: "A claim locks its slot.", without: ["a"] },
        { name: "the check", description: "A claim looks first.", without: ["b"] },
        { name: "the constraint", description: "Nothing overlaps.", without: ["c"] },
      ],
      pairs: ["create × create", "create × reschedule"],
      cases: [
        layerCase("holds", []),
        layerCase("holds", ["the lock"]),
        layerCase("holds", ["the check"]),
        layerCase("holds", ["the constraint"]),
        layerCase("holds", ["the lock", "the check"]),
        layerCase("breaks", ["the lock", "the constraint"], broken),
        layerCase("unknown", ["the check", "the constraint"], { reason: "a step took too long" }),
        layerCase("breaks", ["the lock", "the check", "the constraint"], broken),
      ],
    },
  ],
  executions: 456,
  elapsedMs: 1234,
};

const mutant = {
  id: "strip-lock take: for update",
  kind: "strip-lock",
  object: "take",
  routine: "take(integer)",
  line: 3,
  statement: "perform from seats <s> for update;",
  before: "for update",
  after: "",
  ddl: "create",
} as const;

const result = (changes: Partial<MutantResult>): MutantResult => ({
  ...{ mutant, outcome: "survived", by: null, preemptions: null, reason: null, verdict: null },
  ...{ executions: 10, elapsedMs: 100, ...changes },
});

const by = (checker: string) => ({ checker, name: "rule", message: "broken" });
const caughtBy = (checker: string) =>
  result({ outcome: "caught", by: by(checker), preemptions: 1 });

export const score: MutationScore = {
  service: "seats",
  seed: 7,
  score: 0.8,
  results: [
    caughtBy("contract"),
    caughtBy("invariant"),
    caughtBy("invariant"),
    result({ verdict: "equivalent", reason: "the index is enough" }),
    result({ verdict: "tested", reason: "a.test.ts" }),
    result({ mutant: { ...mutant, id: "drop-index x", object: "x", line: null } }),
    result({ outcome: "unknown", reason: "a step took too long" }),
  ],
  invalid: [{ mutant: { ...mutant, id: "drop-constraint p" }, reason: "others depend on it" }],
  unmutated: [{ object: "f", reason: "it is written in c" }],
  misclassified: [{ id: "drop-index y", verdict: "gap", reason: "unused" }],
  executions: 60,
  elapsedMs: 900,
  untried: 0,
  startedAt: "2026-05-03T07:00:00.000Z",
  environment: passing.environment,
  hashes,
};

export const passedAttack: AttackReport = {
  service: "booking",
  attack: { name: "double-booking", description: "Several clients book <one> slot." },
  verdict: "pass",
  reason: null,
  seed: "s",
  target: { url: "http://localhost:3000", database: null },
  concurrency: 8,
  iterations: 100,
  rounds: 100,
  requests: 800,
  violations: 0,
  rules: [
    {
      ...{ checker: "attack", name: "one_winner", description: "One request wins a slot." },
      ...{ checked: 100, violated: 0 },
    },
    {
      ...{ checker: "linearizability", name: "linearizable", description: "Some order fits." },
      ...{ checked: 0, violated: 0 },
    },
  ],
  examples: [],
  responses: { create: { CREATED: 100, BOOKING_CONFLICT: 700 } },
  latencies: [{ route: "by function", requests: 800, median: 1.5, p95: 12, p99: 30 }],
  environment: { heddle: "0.1.0", node: "24.21.0", platform: "linux x64", cpus: 2 },
  digest: "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
  startedAt: "2026-05-04T10:20:30.000Z",
  elapsedMs: 4_200,
};

export const failedAttack: AttackReport = {
  ...passedAttack,
  verdict: "fail",
  target: { url: "http://localhost:3000", database: "postgres://localhost:5432/shop" },
  violations: 2,
  rules: passedAttack.rules.map((rule, at) => ({ ...rule, violated: at === 0 ? 2 : 0 })),
  examples: [
    {
      ...{ checker: "attack", name: "one_winner", message: "2 requests won slot 7" },
      evidence: [{ client: 0, code: "CREATED" }],
    },
  ],
};
