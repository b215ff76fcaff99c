import { afterAll, beforeAll, expect, test } from "vitest";
import { type Server, startServer, verify } from "../../harness/index.ts";
import { booking } from "./booking.fixture.ts";

let server: Server;

beforeAll(async () => {
  server = await startServer("auto");
});

afterAll(() => server.stop());

/** The seed is fixed, so that a failure in CI can be repeated elsewhere. */
test("the booking service keeps its promises under concurrency", async () => {
  const { campaign } = await verify(server, booking, { seed: 1, runs: 300 });
  expect(campaign.counterexamples).toEqual([]);
  expect(campaign).toMatchObject({ verdict: "pass", reason: null, executions: 300 });
}, 120_000);

test("the booking service behaves the same when a schedule is repeated", async () => {
  // Serial equivalence is left out: it executes other schedules.
  const checkers = ["invariant", "contract", "leaks", "linearizability"] as const;
  const options = { seed: 2, runs: 100, checkDeterminism: true, checkers };
  const { campaign } = await verify(server, booking, options);
  expect(campaign).toMatchObject({ verdict: "pass", reason: null, executions: 100, compared: 100 });
}, 120_000);
