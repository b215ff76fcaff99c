import fc from "fast-check";
import { Client, DatabaseError } from "pg";
import type { JsonObject } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { System, SystemContext } from "../execution/system.ts";
import type { Service, ServicePromise } from "../service/service.ts";

type Take = Operation & { readonly name: "take" };

const SCHEMA = `
  create table seats (id int primary key);
  create table tickets (seat int, holder int);
  create unique index tickets_once on tickets (seat);
  create function take(p_seat int, p_holder int) returns text language plpgsql as $$
  begin
    perform from seats where id = p_seat for update;
    if exists (select from tickets where seat = p_seat) then
      return 'TAKEN';
    end if;
    insert into tickets values (p_seat, p_holder);
    return 'OK';
  end
  $$;`;

const RESET = "delete from tickets; insert into seats values (1) on conflict (id) do nothing";

export const LOCK = "strip-lock take: for update";
export const INDEX = "drop-index tickets_once";

const scenario = { initial: null, clients: [[{ name: "take" }], [{ name: "take" }]] as Take[][] };

/** A service with one seat that two clients take. A lock with a check protects it, and an index. */
export function tickets(changes: Partial<Service<null, Take>> = {}): Service<null, Take> {
  return {
    name: "tickets",
    migrate: (directUrl) => run(directUrl, SCHEMA),
    start,
    scenarios: () => fc.constant(scenario),
    pairs: () => [{ name: "take × take", scenario }],
    patterns: [],
    invariants: [
      {
        name: "one-ticket",
        description: "A seat has one ticket, once it was wanted.",
        check: ({ wrong = [] }) =>
          wrong.map((row) => ({
            checker: "invariant",
            name: "one-ticket",
            message: "it has another number of tickets",
            evidence: [row],
          })),
      },
    ],
    codes: { take: ["OK", "TAKEN", "23505"] },
    seededBugs: [],
    sources: [],
    ...changes,
  };
}

export const oneTicket: ServicePromise = {
  name: "no double selling",
  statement: "A seat is sold once.",
  rules: [{ checker: "invariant", name: "one-ticket" }],
  protections: [
    { name: "the lock", description: "A transaction that takes a seat locks it.", without: [LOCK] },
    {
      name: "the check",
      description: "A seat with a ticket is taken.",
      without: [{ routine: "take", text: "where seat = p_seat", becomes: "where false" }],
    },
    { name: "the index", description: "A seat has one ticket.", without: [INDEX] },
  ],
  pairs: ["take × take"],
};

async function start({ gatedUrl, directUrl }: SystemContext): Promise<System<null, Take>> {
  const direct = await connected(directUrl);
  const clients = [await connected(gatedUrl), await connected(gatedUrl)];
  return {
    reset: async () => {
      await direct.query(RESET);
    },
    perform: async (_, number) => {
      try {
        const rows = await clients[number]?.query<{ take: string }>(`select take(1, ${number})`);
        const code = rows?.rows[0]?.take ?? "?";
        return { outcome: code === "OK" ? "ok" : "fail", code, body: null };
      } catch (error) {
        if (!(error instanceof DatabaseError)) throw error;
        return { outcome: "fail", code: error.code ?? "?", body: null };
      }
    },
    observe: async () => {
      const sql = "select count(*)::int as tickets from tickets having count(*) <> 1";
      return { wrong: (await direct.query<JsonObject>(sql)).rows };
    },
    stop: async () => {
      for (const client of [direct, ...clients]) await client.end();
    },
  };
}

async function run(url: string, sql: string): Promise<void> {
  const client = await connected(url);
  await client.query(sql);
  await client.end();
}

async function connected(connectionString: string): Promise<Client> {
  const client = new Client({ connectionString });
  client.on("error", () => {});
  await client.connect();
  return client;
}
