import { expect, test } from "vitest";
import { GATE_NAMES } from "../core/control.ts";
import { failing, interrupted, passing } from "./sample-campaign.fixture.ts";
import { serviceName, verdictSentence } from "./verdict-sentence.ts";

const SAMPLE = "This is a sample of the possible interleavings, not a proof.";
const SCOPE = "with 2 to 4 clients (seed 1, strategy random, gates: statement, read committed)";

test("a pass says what was executed, and that it is a sample", () => {
  expect(verdictSentence(passing)).toBe(
    `No violation in 2,000 executions of 2,000 scenarios ${SCOPE}. ${SAMPLE}`,
  );
});

test("a pass of completely searched pairs is not a sample", () => {
  const pairs = [1, 2].map((number) => ({
    ...{ name: `pair ${number}`, explored: 5, pruned: null, outcomes: 1 },
    complete: true,
  }));
  const all = { ...passing, executions: 10, scenarios: 2, pairs };
  expect(verdictSentence(all)).toBe(
    `No violation in 10 executions of 2 scenarios ${SCOPE}. Each of the 2 pairs of operations was searched completely with at most 2 preemptions; other scenarios were not executed.`,
  );
  expect(verdictSentence({ ...all, scenarios: 1, pairs: pairs.slice(1) })).toContain(
    ". The pair of operations was searched completely",
  );
  const cut = pairs.map((pair, at) => ({ ...pair, complete: at > 0 }));
  expect(verdictSentence({ ...all, pairs: cut })).toContain(SAMPLE);
  expect(verdictSentence({ ...all, scenarios: 0, pairs: [] })).toContain(SAMPLE);
});

test("a pass of a completely searched scenario is not a sample", () => {
  const coverage = ["All 6 interleavings, without a bound, of 1 scenario were executed."];
  const single = { ...passing, executions: 6, scenarios: 1, coverage };
  expect(verdictSentence(single)).toContain("scenario with 2 to 4 clients");
  expect(verdictSentence(single)).toMatch(
    /These are all interleavings at these gates; --gates all has more\.$/,
  );
  const control = { ...single.control, gates: GATE_NAMES };
  expect(verdictSentence({ ...single, control })).toMatch(
    /\(seed 1, strategy random, all gates, read committed\)\..*all interleavings at these gates\.$/,
  );
  const ungated = [
    { name: "the exclusion constraint on e", sampled: 200 },
    { name: "the exclusion constraint on f", sampled: null },
    { name: "the exclusion constraint on g", sampled: 0 },
  ];
  expect(verdictSentence({ ...single, control, ungated: ungated.slice(0, 1) })).toMatch(
    /interleavings at these gates, but for the exclusion constraint on e: sampled 200 times\.$/,
  );
  expect(verdictSentence({ ...single, control, ungated })).toMatch(
    /, but for the exclusion constraint on e: sampled 200 times, and for the exclusion constraint on f, which has no gate\.$/,
  );
  expect(verdictSentence({ ...single, control, ungated: ungated.slice(2) })).toMatch(
    /all interleavings at these gates\.$/,
  );
  expect(verdictSentence({ ...single, scenarios: 2 })).toContain(SAMPLE);
});

test("a fail tells stored regressions apart from what the run has found", () => {
  const regressions = [{ file: "a.json", rule: "lost", outcome: "fails" }] as const;
  const again = "1 stored regression violates its rule again: lost.";
  expect(verdictSentence({ ...failing, regressions })).toMatch(
    new RegExp(`^Violation.* ${again}$`),
  );
  const alone = { ...passing, verdict: "fail", regressions } as const;
  expect(verdictSentence(alone)).toMatch(new RegExp(`^${again} No violation in 2,000 executions`));
});

test("a fail names the violated rules", () => {
  expect(verdictSentence(failing)).toBe(
    `Violation in 2 of 112 executions of 112 scenarios ${SCOPE}: slot_with_several_bookings, overlapping_bookings, no_server_error.`,
  );
});

test("unknown gives the reason, and says that it is not a pass", () => {
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

test("names one number of clients if there is only one", () => {
  const sentence = verdictSentence({ ...passing, clients: { min: 1, max: 1 } });
  expect(sentence).toContain(
    "with 1 client (seed 1, strategy random, gates: statement, read committed)",
  );
});

test("the name of the service includes the seeded bug", () => {
  expect(serviceName(passing)).toBe("booking");
  expect(serviceName(failing)).toBe("booking with the seeded bug check-then-insert");
});
