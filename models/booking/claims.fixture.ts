import fc from "fast-check";
import {
  call,
  type DefinedScenario,
  definedService,
  defineService,
  type SystemContext,
} from "../../harness/index.ts";
import { calendarSql, SLOT } from "./calendar.ts";
import booking from "./index.ts";
import { claimWithoutLockOrConstraints } from "./mutants/claim-without-lock-or-constraints.ts";

/** The seeded bug without the locks and constraints that keep two claims apart. */
export const unprotected = claimWithoutLockOrConstraints;

const CLAIM = `select claim_slot_and_create_booking(${SLOT.free.id}, 1, $1, '', '')`;

const twoClaims: DefinedScenario = {
  initial: { prefix: [] },
  clients: [[{ name: "claim" }], [{ name: "claim" }]],
};

/** Two clients that claim the same slot by the database function, without the service. */
const definition = defineService({
  name: "claims",
  setup: ["../../migrations/*.sql", calendarSql()],
  restore: "delete",
  operations: {
    // Between `begin` and `commit`: three statements on one connection.
    claim: call({}, async (_, { client, query }) => {
      await query("begin");
      try {
        await query(CLAIM, [`customer-${client + 1}`]);
        await query("commit");
      } catch (error) {
        await query("rollback");
        throw error;
      }
    }),
  },
  invariants: Object.fromEntries(
    Object.entries(booking.invariants ?? {}).flatMap(([name, one]) =>
      typeof one === "string" ? [[name, one]] : [],
    ),
  ),
  codes: { claim: ["OK", "BK004"] },
  scenarios: () => fc.constant(twoClaims),
  pairs: () => ({ "two claims": twoClaims }),
  mutants: booking.mutants?.filter(({ name }) => name === unprotected.name) ?? [],
});

const { ids: _, ...claims } = definedService(
  definition,
  "models/booking/claims.fixture.ts",
  new URL("./claims.fixture.ts", import.meta.url),
);

/** Without a comparison with serial orders, for searches of thousands of interleavings. */
export default {
  ...claims,
  async start(context: SystemContext, mutant: string | undefined) {
    const { contents: _, ...system } = await claims.start(context, mutant);
    return system;
  },
};
