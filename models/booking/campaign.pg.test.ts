import { afterAll, beforeAll, expect, test } from "vitest";
import { type Server, startServer, verify } from "../../harness/index.ts";
import booking from "./index.ts";

let server: Server;

beforeAll(async () => {
  server = await startServer("auto");
});

afterAll(() => server.stop());

/** What gates a merge: a fixed seed, so that a red build is red again on anybody's machine. */
test("the booking service keeps its promises under concurrency", async () => {
  const { campaign } = await verify(server, booking, { seed: 1, runs: 500 });
  expect(campaign.counterexamples).toEqual([]);
  expect(campaign).toMatchObject({ verdict: "pass", reason: null, executions: 500 });
  expect(campaign.patterns.filter(({ missed }) => missed)).toEqual([]);
}, 120_000);

test("the booking service does the same again under the same schedule", async () => {
  // Without the checker that compares with other schedules: each is executed twice.
  const checkers = ["invariant", "contract", "leaks", "linearizability"] as const;
  const options = { seed: 2, runs: 100, checkDeterminism: true, checkers };
  const { campaign } = await verify(server, booking, options);
  expect(campaign).toMatchObject({ verdict: "pass", reason: null, executions: 100, compared: 100 });
}, 120_000);
