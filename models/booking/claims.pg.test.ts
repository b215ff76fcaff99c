import { afterAll, beforeAll, expect, test } from "vitest";
import { type Server, startServer, verify } from "../../harness/index.ts";
import { testPostgres } from "../../harness/postgres/server.fixture.ts";
import claims, { unprotected } from "./claims.fixture.ts";

let server: Server;

beforeAll(async () => {
  server = await startServer(testPostgres);
});

afterAll(() => server.stop());

/** Explores every interleaving of begin, commit and the statements inside the function. */
function search(reduction: boolean, mutant?: string) {
  const preemptions = Number.POSITIVE_INFINITY;
  const control = { gates: ["statement", "routine"] } as const;
  return verify(server, claims, { seed: 1, pairs: true, preemptions, reduction, mutant, control });
}

test(
  "in all 1,932 interleavings of two claims of one slot, one succeeds",
  { tags: ["nightly"], timeout: 120_000 },
  async () => {
    const { campaign } = await search(false);
    expect(campaign).toMatchObject({ verdict: "pass", reason: null, counterexamples: [] });
    expect(campaign.pairs).toEqual([
      { name: "two claims", explored: 1_932, pruned: null, complete: true, outcomes: 2 },
    ]);
    expect(campaign.coverage).toContain(
      "All 1,932 interleavings, without a bound, of 1 scenario were executed.",
    );
    expect(campaign.responses).toEqual({ claim: { OK: 1_932, BK004: 1_932 } });
  },
);

test("with reduction, fewer interleavings have the same outcomes", async () => {
  const { campaign } = await search(true);
  expect(campaign).toMatchObject({ verdict: "pass", reason: null });
  expect(campaign.pairs).toEqual([
    { name: "two claims", explored: 1_093, pruned: 3, complete: true, outcomes: 2 },
  ]);
});

test("without locks and constraints both succeed after one preemption", async () => {
  const { campaign } = await search(false, unprotected.name);
  expect(campaign.verdict).toBe("fail");
  const [smallest] = campaign.counterexamples;
  expect(smallest?.violations.map(({ name }) => name)).toEqual([
    "slot_with_several_bookings",
    "overlapping_bookings",
  ]);
  expect(smallest?.scenario.clients.flat()).toHaveLength(2);
  expect(smallest?.preemptions).toBe(1);
  expect(smallest?.shrunk.minimal).toBe(true);
  // The two serial orders come first.
  expect(smallest?.execution).toBe(3);
});
