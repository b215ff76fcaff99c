import { doubleBooking, hashes } from "../explorer/sample-counterexample.fixture.ts";
import type { SeededBugReport, SeededBugResult } from "../mutation/seeded-bugs.ts";
import { passing } from "./sample-campaign.fixture.ts";

export const caught: SeededBugResult = {
  name: "no-lock",
  story: "It was <slow>.",
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
  ...{ checker: null, equivalent: "The lock is enough.", outcome: "untold" },
};

export const seeded: SeededBugReport = {
  service: "booking",
  seed: 1,
  budget: { runs: 2_500, timeMs: null },
  allCheckers: false,
  verdict: "fail",
  elapsedMs: 12_000,
  results: [caught, survived, equivalent],
  unmutated: [
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
