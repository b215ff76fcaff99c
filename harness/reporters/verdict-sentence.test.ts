import { expect, test } from "vitest";
import { failing, interrupted, passing } from "./sample-campaign.fixture.ts";
import { serviceName, verdictSentence } from "./verdict-sentence.ts";

const SCOPE = "with 2 to 4 clients (seed 1, strategy random, gates: statement, read committed)";

test("a pass has its bounds, and claims no more", () => {
  expect(verdictSentence(passing)).toBe(
    `No violation in 2,000 executions of 2,000 scenarios ${SCOPE}. A sample, not a proof.`,
  );
});

test("a pass of pairs that were all searched to the end is no sample of these", () => {
  const pairs = [1, 2].map((number) => ({
    ...{ name: `pair ${number}`, explored: 5, pruned: null, outcomes: 1 },
    complete: true,
  }));
  const all = { ...passing, executions: 10, scenarios: 2, pairs };
  expect(verdictSentence(all)).toBe(
    `No violation in 10 executions of 2 scenarios ${SCOPE}. 2 pairs of operations, each searched to the end with at most 2 preemptions; other scenarios were not.`,
  );
  const sample = "A sample, not a proof.";
  const cut = pairs.map((pair, at) => ({ ...pair, complete: at > 0 }));
  expect(verdictSentence({ ...all, pairs: cut })).toContain(sample);
  expect(verdictSentence({ ...all, scenarios: 0, pairs: [] })).toContain(sample);
});

test("a pass of a single scenario of which nothing is left is no sample", () => {
  const coverage = ["All 6 interleavings, without a bound, of 1 scenario were executed."];
  const single = { ...passing, executions: 6, scenarios: 1, coverage };
  expect(verdictSentence(single)).toContain("scenario with 2 to 4 clients");
  expect(verdictSentence(single)).toMatch(
    /These are all interleavings at these gates; a race inside one statement shows with --gates statement,routine,row only\.$/,
  );
  const control = { ...single.control, gates: ["statement", "routine", "row"] as const };
  expect(verdictSentence({ ...single, control })).toMatch(/all interleavings at these gates\.$/);
  expect(verdictSentence({ ...single, scenarios: 2 })).toMatch(/A sample, not a proof\.$/);
});

test("a fail names what broke", () => {
  expect(verdictSentence(failing)).toBe(
    `Violation in 2 of 112 executions of 112 scenarios ${SCOPE}: slot_with_several_bookings, overlapping_bookings, no_server_error.`,
  );
});

test("unknown says why, and that it is no pass", () => {
  expect(verdictSentence(interrupted)).toBe(
    `Unknown: interrupted by SIGINT, after 1 execution of 1 scenario ${SCOPE}. No violation until then, but this is not a pass.`,
  );
  expect(verdictSentence({ ...failing, verdict: "unknown", reason: "out of time." })).toContain(
    "Unknown: out of time, after 112 executions of 112 scenarios",
  );
  expect(verdictSentence({ ...failing, verdict: "unknown" })).toContain(
    "Violation in 2 of them: slot_with_several_bookings",
  );
});

test("says so when nothing was gated, and when there is one size only", () => {
  const sentence = verdictSentence({ ...passing, clients: { min: 1, max: 1 } });
  expect(sentence).toContain(
    "with 1 client (seed 1, strategy random, gates: statement, read committed)",
  );
});

test("names the seeded bug", () => {
  expect(serviceName(passing)).toBe("booking");
  expect(serviceName(failing)).toBe("booking with the seeded bug check-then-insert");
});
