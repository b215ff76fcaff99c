import fc from "fast-check";
import { Client, DatabaseError } from "pg";
import type {
  Operation,
  Response,
  Scenario,
  Service,
  System,
  SystemContext,
} from "../../harness/index.ts";
import { observe, openReset } from "./database.ts";
import { invariants } from "./invariants.ts";
import { claimWithoutLockOrConstraints } from "./mutants/claim-without-lock-or-constraints.ts";
import { APART, type BookingState, initialState } from "./state.ts";
import { migrateBooking } from "./system.ts";

/** A call of the claim function between `begin` and `commit`: three statements on one connection. */
type Claim = Operation & { readonly name: "claim" };

/** The seeded bug without the locks and constraints that keep two claims apart. */
export const unprotected = claimWithoutLockOrConstraints;

const twoClaims = {
  initial: initialState([{ sameProvider: true, gap: APART, past: false, outcome: "free" }]),
  clients: [[{ name: "claim" }], [{ name: "claim" }]],
} satisfies Scenario<BookingState, Claim>;

/** Two clients that claim the same slot by the database function, without the service. */
const claims: Service<BookingState, Claim> = {
  name: "claims",
  migrate: (directUrl, mutant) =>
    migrateBooking(directUrl, mutant === unprotected.name ? unprotected : undefined),
  start,
  scenarios: () => fc.constant(twoClaims),
  pairs: () => [{ name: "two claims", scenario: twoClaims }],
  patterns: [],
  invariants,
  codes: { claim: ["CREATED", "BK004"] },
  seededBugs: [unprotected],
  sources: [],
};

export default claims;

async function start({
  gatedUrl,
  gatedStream,
  directUrl,
}: SystemContext): Promise<System<BookingState, Claim>> {
  const database = await connected(directUrl);
  const clients = [await connected(gatedUrl, gatedStream), await connected(gatedUrl, gatedStream)];
  return {
    reset: await openReset(database),
    perform: async (_, number) => {
      const client = clients[number];
      if (client === undefined) throw new Error(`there is no client ${number}`);
      return claim(client, `customer-${number + 1}`);
    },
    observe: () => observe(database, () => 0),
    stop: async () => {
      for (const client of [database, ...clients]) await client.end();
    },
  };
}

async function connected(
  connectionString: string,
  stream?: SystemContext["gatedStream"],
): Promise<Client> {
  const client = new Client({ connectionString, ...(stream && { stream }) });
  client.on("error", () => {});
  await client.connect();
  return client;
}

async function claim(client: Client, customer: string): Promise<Response> {
  await client.query("begin");
  try {
    await client.query("select claim_slot_and_create_booking(1, 1, $1, '', '')", [customer]);
    await client.query("commit");
    return { outcome: "ok", code: "CREATED", body: null };
  } catch (error) {
    await client.query("rollback");
    if (!(error instanceof DatabaseError)) throw error;
    return { outcome: "fail", code: error.code ?? "?", body: null };
  }
}
