import { doubleBooking, hashes } from "../explorer/sample-counterexample.fixture.ts";
import type { LayerCase, LayersOfDefence } from "../mutation/layers.ts";
import { passing } from "./sample-campaign.fixture.ts";

const found = (
  outcome: LayerCase["outcome"],
  without: readonly string[],
  rest: Partial<LayerCase> = {},
): LayerCase => ({
  ...{ without, outcome, reason: null, executions: 57, counterexample: null },
  ...rest,
});

const how = { counterexample: doubleBooking };

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
        found("holds", []),
        found("holds", ["the lock"]),
        found("holds", ["the check"]),
        found("holds", ["the constraint"]),
        found("holds", ["the lock", "the check"]),
        found("breaks", ["the lock", "the constraint"], how),
        found("unknown", ["the check", "the constraint"], { reason: "a step took too long" }),
        found("breaks", ["the lock", "the check", "the constraint"], how),
      ],
    },
  ],
  executions: 456,
  elapsedMs: 1234,
};
