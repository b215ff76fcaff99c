import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type DefinedScenario,
  HarnessError,
  type Response,
  type Server,
  startServer,
  verify,
} from "../../../harness/index.ts";
import { testPostgres } from "../../../harness/postgres/server.fixture.ts";
import { booking, startUngated, type UngatedBooking } from "../booking.fixture.ts";

import { mutantNamed, mutants } from "./index.ts";
import { rewritten } from "./mutant.ts";

let server: Server;
let baseline: UngatedBooking;

beforeAll(async () => {
  server = await startServer(testPostgres);
  baseline = await startUngated(server);
});

afterAll(async () => {
  await baseline.stop();
  await server.stop();
});

const sample = fc.sample(booking.scenarios({ minClients: 2, maxClients: 4 }), {
  numRuns: 12,
  seed: 5,
});

/** The scenario's responses and final contents when its clients run one after the other. */
async function serially({ system }: UngatedBooking, { initial, clients }: DefinedScenario) {
  await system.reset(initial);
  const responses: Partial<Response>[] = [];
  for (const [client, operations] of clients.entries()) {
    for (const operation of operations) {
      const response = await system.perform(operation, client);
      const { outcome, code } = response;
      // The texts of a refusal are those of the code that refuses.
      responses.push(outcome === "fail" ? { outcome, code } : response);
    }
  }
  return { responses, contents: await system.contents?.() };
}

const concurrent = mutants.filter(
  (mutant) => "equivalent" in mutant || mutant.smallest.preemptions > 0 || mutant.smallest.faults,
);

test.each(concurrent)(
  "in serial runs $name behaves like the service without a bug",
  { tags: ["nightly"] },
  async ({ name }) => {
    const mutated = await startUngated(server, name);
    for (const scenario of sample) {
      // A seeded bug may add columns.
      expect(await serially(mutated, scenario)).toMatchObject(await serially(baseline, scenario));
    }
    await mutated.stop();
  },
);

/** The invariants that a smallest case of each seeded bug may violate. */
const breaks: { readonly [mutant: string]: readonly string[] } = {
  "check-then-insert": [
    "slot_with_several_bookings",
    "overlapping_bookings",
    "booking_without_claimed_slot",
  ],
  "two-transaction-cancel": ["unavailable_slot_without_booking"],
};

describe.each(Object.keys(breaks))("%s", (name) => {
  // Gates between statements suffice; deeper ones lead to other cases first.
  test("is caught by its invariant, with at most three operations", async () => {
    const { campaign } = await verify(server, booking, {
      seed: 2,
      runs: 3_000,
      mutant: name,
      checkers: ["invariant"],
      control: { gates: ["statement"], isolation: "read committed" },
      shrinkTimeMs: 100_000,
    });
    expect(campaign.verdict).toBe("fail");
    const [counterexample] = campaign.counterexamples;
    expect(breaks[name]).toContain(counterexample?.violations[0]?.name);
    expect(counterexample?.scenario.clients.flat().length).toBeLessThanOrEqual(3);
  });
});

test("an unknown name is refused", () => {
  expect(() => mutantNamed("none")).toThrow(HarnessError);
});

test("a function that does not contain the original exactly once is refused", async () => {
  const { beside } = baseline;
  for (const original of ["for updates", "v_booking"]) {
    await expect(beside.query(rewritten("cancel_booking", [original, ""]))).rejects.toThrow(
      `cancel_booking does not contain exactly once: ${original}`,
    );
  }
});
