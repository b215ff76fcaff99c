import { hashes } from "../explorer/sample-counterexample.fixture.ts";
import type { MutantResult, MutationScore } from "../mutation/mutation-score.ts";
import { passing } from "./sample-campaign.fixture.ts";

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
const caught = (checker: string) => result({ outcome: "caught", by: by(checker), preemptions: 1 });

export const score: MutationScore = {
  service: "seats",
  seed: 7,
  score: 0.8,
  results: [
    caught("contract"),
    caught("invariant"),
    caught("invariant"),
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
