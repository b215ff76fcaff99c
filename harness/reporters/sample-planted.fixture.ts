import type { PlantedReport, PlantedResult } from "../core/planted.ts";
import { passing } from "./sample-campaign.fixture.ts";
import { doubleBooking, hashes } from "./sample-counterexample.fixture.ts";

export const caught: PlantedResult = {
  name: "no-lock",
  story: "It was <slow>.",
  judge: "invariant",
  equivalent: null,
  gates: ["statement"],
  faults: [],
  outcome: "caught",
  judges: [
    { judge: "contract", executions: 3, elapsedMs: 20 },
    { judge: "invariant", executions: 1_200, elapsedMs: 4_500 },
  ],
  executions: 1_200,
  elapsedMs: 4_500,
  counterexample: doubleBooking,
  smallest: { commands: 2, preemptions: 1 },
  replays: { identical: 20, of: 20 },
  reason: null,
};

const rest = { counterexample: null, smallest: null, replays: null, judges: [] } as const;
export const survived: PlantedResult = {
  ...caught,
  ...rest,
  name: "no-check",
  outcome: "survived",
};
const equivalent: PlantedResult = {
  ...{ ...caught, ...rest, name: "no-index" },
  ...{ judge: null, equivalent: "The lock is enough.", outcome: "untold" },
};

export const planted: PlantedReport = {
  model: "booking",
  seed: 1,
  budget: { runs: 2_500, timeMs: null },
  allJudges: false,
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
      judges: [],
      reason: null,
    },
  ],
  untried: [],
  startedAt: "2026-05-03T09:00:00.000Z",
  environment: passing.environment,
  hashes,
};
