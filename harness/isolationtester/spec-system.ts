import { Client, DatabaseError, type QueryArrayResult } from "pg";
import { HarnessError } from "../core/error.ts";
import type { Snapshot } from "../core/execution.ts";
import type { Response } from "../core/history.ts";
import type { Json, JsonObject } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { System, SystemContext } from "../execution/system.ts";
import { takeSnapshot } from "../service/snapshot.ts";
import { AS_TEXT, allRows, beginning, type Fresh, records } from "./records.ts";
import type { Spec, SpecSession } from "./spec.ts";
import { schemaChange } from "./transactions.ts";

/** A session's transaction, or a step outside of any. */
export type Transaction = Operation & {
  /** The session's. */
  readonly name: string;
  /** By name. */
  readonly steps: readonly string[];
};

/** SQL that gives the rows that must not be there, by name. */
export type Forbidden = ReadonlyMap<string, string>;

/** The answer to a transaction that gave way to others, as `GIVES_WAY` has it. */
export const ABORTED = "ABORTED";

/** Serialization failure, deadlock, lock not available, and a timeout's or somebody's cancel. */
const GIVES_WAY = ["40001", "40P01", "55P03", "57014"];

type Result = QueryArrayResult<(string | null)[]>;

/** The sessions of a spec as clients, each on a connection of its own. */
export async function startSpec(
  spec: Spec,
  forbidden: Forbidden,
  { gatedUrl, directUrl }: SystemContext,
): Promise<System<null, Transaction>> {
  const direct = await connected(directUrl);
  const query = async (sql: string, values: readonly unknown[] = []) =>
    (await direct.query<JsonObject>(sql, [...values])).rows;
  const restorer = schemaChange(spec) === undefined ? await takeSnapshot(query) : undefined;
  /** By session; none for one whose connection was lost. */
  const clients: (Client | undefined)[] = [];
  for (const _ of spec.sessions) clients.push(await connected(gatedUrl));
  let fresh = await beginning(direct);
  return {
    async reset() {
      for (const [number, client] of clients.entries()) {
        clients[number] = await asNew(client, gatedUrl);
      }
      await (restorer === undefined ? setUpAnew(spec, direct) : restorer.restore());
      fresh = await beginning(direct);
    },

    dirty: async () => (await restorer?.dirty()) === true,

    async perform({ steps }, number) {
      const session = spec.sessions[number];
      if (session === undefined) {
        throw new HarnessError("SERVICE_FAILED", `the spec has no session ${number} any more`);
      }
      const client = clients[number] ?? (await connected(gatedUrl));
      clients[number] = client;
      const given = await answers(client, sqlOf(session, steps));
      if (given === "lost") clients[number] = undefined;
      return responseOf(given, fresh);
    },

    async observe() {
      const found: { [name: string]: Snapshot[string] } = {};
      for (const [name, sql] of forbidden) {
        found[name] = (await simple(direct, sql)).flatMap((result) => records(result, fresh));
      }
      return found;
    },

    contents: () => allRows(direct, fresh),

    async stop() {
      for (const client of [direct, ...clients]) await client?.end();
    },
  };
}

/** What isolationtester does around each permutation. */
async function setUpAnew({ setups, teardown }: Spec, direct: Client): Promise<void> {
  if (teardown !== undefined) await direct.query(teardown);
  for (const setup of setups) await direct.query(setup);
}

/** Nothing that a session has set, prepared or locked is left of the execution before. */
async function asNew(client: Client | undefined, url: string): Promise<Client> {
  if (client === undefined) return connected(url);
  await client.query("rollback");
  await client.query("discard all");
  return client;
}

/** The session's setup is sent before its first step, and its teardown after the last. */
function sqlOf({ setup, steps, teardown }: SpecSession, names: readonly string[]): string[] {
  return names.flatMap((name) => {
    const step = steps.find((other) => other.name === name);
    if (step === undefined) {
      throw new HarnessError("SERVICE_FAILED", `the spec has no step ${name} any more`);
    }
    return [
      ...(step === steps[0] && setup !== undefined ? [setup] : []),
      step.sql,
      ...(step === steps.at(-1) && teardown !== undefined ? [teardown] : []),
    ];
  });
}

/** A step's outcome: what its statements gave, or the error. */
type Answer = { readonly results: readonly Result[] } | { readonly error: DatabaseError };

/** As isolationtester does it, steps are sent also after one that failed. */
async function answers(client: Client, steps: readonly string[]): Promise<Answer[] | "lost"> {
  const all: Answer[] = [];
  for (const sql of steps) {
    try {
      all.push({ results: await simple(client, sql) });
    } catch (error) {
      if (!(error instanceof DatabaseError) || error.severity === "FATAL") return "lost";
      all.push({ error });
    }
  }
  return all;
}

function responseOf(given: readonly Answer[] | "lost", fresh: Fresh): Response {
  if (given === "lost") return { outcome: "info", code: "LOST", body: null };
  const body: Json = given.map((answer) =>
    "error" in answer
      ? { error: answer.error.code ?? "", message: answer.error.message }
      : answer.results.flatMap((result) => records(result, fresh)),
  );
  if (given.every((answer) => "results" in answer)) return { outcome: "ok", code: "OK", body };
  // A failed transaction ends with ROLLBACK, also if it is told to COMMIT.
  const last = given.at(-1);
  const committed = last && "results" in last && last.results.at(-1)?.command === "COMMIT";
  if (committed) return { outcome: "ok", code: "ERROR", body };
  const gaveWay = given.some((it) => "error" in it && GIVES_WAY.includes(it.error.code ?? ""));
  return { outcome: "fail", code: gaveWay ? ABORTED : "ERROR", body };
}

/** One simple query: the result of each of its statements. */
async function simple(client: Client, text: string): Promise<Result[]> {
  const query = { text, rowMode: "array", types: AS_TEXT } as const;
  const given: Result | Result[] = await client.query<(string | null)[]>(query);
  return Array.isArray(given) ? given : [given];
}

async function connected(connectionString: string): Promise<Client> {
  const client = new Client({ connectionString });
  // Whoever ends this session makes its next statement fail.
  client.on("error", () => {});
  await client.connect();
  return client;
}
