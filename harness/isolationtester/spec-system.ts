import { type Client, DatabaseError, type FieldDef, type QueryArrayResult } from "pg";
import { HarnessError } from "../core/error.ts";
import type { Snapshot } from "../core/execution.ts";
import type { Response } from "../core/history.ts";
import type { Json, JsonObject } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { System, SystemContext } from "../execution/system.ts";
import { openClient } from "../postgres/connection.ts";
import type { ClientQuery } from "../service/scenario-definition.ts";
import { tablesOf, takeSnapshot } from "../service/snapshot.ts";
import type { Spec, SpecSession } from "./spec.ts";
import { schemaChange } from "./transactions.ts";

/** An operation of a spec: the steps of one transaction of a session, or a step outside transactions. */
export type Transaction = Operation & {
  /** The name of the session. */
  readonly name: string;
  /** The names of the steps. */
  readonly steps: readonly string[];
};

/** SQL by invariant name. Each row that it returns breaks the invariant. */
export type InvariantQueries = ReadonlyMap<string, string>;

/** The code of a transaction that was aborted in favour of others, with one of `ABORT_STATES`. */
export const ABORTED = "ABORTED";

/** SQLSTATEs: serialization failure, deadlock, lock not available, and query cancelled (also by a timeout). */
const ABORT_STATES = ["40001", "40P01", "55P03", "57014"];

type Result = QueryArrayResult<(string | null)[]>;

/** Starts the sessions of a spec as clients, each on a connection of its own. */
export async function startSpec(
  spec: Spec,
  invariants: InvariantQueries,
  { gatedUrl, directUrl }: SystemContext,
): Promise<System<null, Transaction>> {
  const direct = await openClient(directUrl);
  const query: ClientQuery = async (sql, values = []) =>
    (await direct.query<JsonObject>(sql, [...values])).rows;
  const restorer = schemaChange(spec) === undefined ? await takeSnapshot(query) : undefined;
  /** By session; undefined for a session whose connection was lost. */
  const clients: (Client | undefined)[] = [];
  for (const _ of spec.sessions) clients.push(await openClient(gatedUrl));
  let start = await readExecutionStart(direct);
  return {
    async reset() {
      for (const [number, client] of clients.entries()) {
        clients[number] = await cleanClient(client, gatedUrl);
      }
      await (restorer === undefined ? repeatSetup(spec, direct) : restorer.restore());
      start = await readExecutionStart(direct);
    },

    dirty: async () => (await restorer?.dirty()) === true,

    async perform({ steps }, number) {
      const session = spec.sessions[number];
      if (session === undefined) {
        throw new HarnessError(
          "SERVICE_FAILED",
          `The spec no longer has session ${number}: give the spec with which the counterexample was found.`,
        );
      }
      const client = clients[number] ?? (await openClient(gatedUrl));
      clients[number] = client;
      const outcomes = await executeSteps(client, sqlOf(session, steps));
      if (outcomes === "lost") clients[number] = undefined;
      return responseOf(outcomes, start);
    },

    async observe() {
      const broken: { [name: string]: Snapshot[string] } = {};
      for (const [name, sql] of invariants) {
        broken[name] = (await simpleQuery(direct, sql)).flatMap((result) =>
          comparableRows(result, start),
        );
      }
      return broken;
    },

    contents: () => allRows(direct, query, start),

    async stop() {
      for (const client of [direct, ...clients]) await client?.end();
    },
  };
}

/** Executes the teardown and the setups, as isolationtester does between permutations. */
async function repeatSetup({ setups, teardown }: Spec, direct: Client): Promise<void> {
  if (teardown !== undefined) await direct.query(teardown);
  for (const setup of setups) await direct.query(setup);
}

/** Removes what the last execution has set, prepared or locked in the session; reconnects a lost one. */
async function cleanClient(client: Client | undefined, url: string): Promise<Client> {
  if (client === undefined) return openClient(url);
  await client.query("rollback");
  await client.query("discard all");
  return client;
}

/** The SQL of steps, with the session's setup before its first step and its teardown after its last. */
function sqlOf({ setup, steps, teardown }: SpecSession, names: readonly string[]): string[] {
  return names.flatMap((name) => {
    const step = steps.find((other) => other.name === name);
    if (step === undefined) {
      throw new HarnessError(
        "SERVICE_FAILED",
        `The spec no longer has a step "${name}": give the spec with which the counterexample was found.`,
      );
    }
    return [
      ...(step === steps[0] && setup !== undefined ? [setup] : []),
      step.sql,
      ...(step === steps.at(-1) && teardown !== undefined ? [teardown] : []),
    ];
  });
}

/** The outcome of a step: the results of its statements, or the error. */
type StepOutcome = { readonly results: readonly Result[] } | { readonly error: DatabaseError };

/** Executes steps. Like isolationtester, sends the next step also after one that failed. */
async function executeSteps(
  client: Client,
  steps: readonly string[],
): Promise<StepOutcome[] | "lost"> {
  const outcomes: StepOutcome[] = [];
  for (const sql of steps) {
    try {
      outcomes.push({ results: await simpleQuery(client, sql) });
    } catch (error) {
      if (!(error instanceof DatabaseError) || error.severity === "FATAL") return "lost";
      outcomes.push({ error });
    }
  }
  return outcomes;
}

function responseOf(outcomes: readonly StepOutcome[] | "lost", start: ExecutionStart): Response {
  if (outcomes === "lost") return { outcome: "info", code: "LOST", body: null };
  const body: Json = outcomes.map((outcome) =>
    "error" in outcome
      ? { error: outcome.error.code ?? "", message: outcome.error.message }
      : outcome.results.flatMap((result) => comparableRows(result, start)),
  );
  if (outcomes.every((outcome) => "results" in outcome)) return { outcome: "ok", code: "OK", body };
  // The command of a failed transaction is ROLLBACK even if the statement was COMMIT.
  const last = outcomes.at(-1);
  const committed = last && "results" in last && last.results.at(-1)?.command === "COMMIT";
  if (committed) return { outcome: "ok", code: "ERROR", body };
  const aborted = outcomes.some(
    (it) => "error" in it && ABORT_STATES.includes(it.error.code ?? ""),
  );
  return { outcome: "fail", code: aborted ? ABORTED : "ERROR", body };
}

/** Executes one simple query, and returns the result of each of its statements. */
async function simpleQuery(client: Client, text: string): Promise<Result[]> {
  const query = { text, rowMode: "array", types: AS_TEXT } as const;
  const results: Result | Result[] = await client.query<(string | null)[]>(query);
  return Array.isArray(results) ? results : [results];
}

/** Has pg return values as text, as the server sends them. */
const AS_TEXT = { getTypeParser: () => (text: string) => text };

/** The state at the start of an execution. Later times and ids differ between executions. */
interface ExecutionStart {
  /** The time of the server. */
  readonly since: Date;
  /** The greatest generated id by column, as `TABLE_OID/COLUMN_NUMBER`. */
  readonly ids: ReadonlyMap<string, bigint>;
}

/** The OIDs of the types `timestamp` and `timestamptz`. */
const [TIMESTAMP, TIMESTAMPTZ] = [1114, 1184];

/** A time up to a day after the start counts as computed from the clock. */
const DAY_MS = 24 * 60 * 60 * 1_000;

/** Columns with values from a sequence, and foreign keys to them, with the position of the sequence. */
const GENERATED_IDS = `
  with generated as (
    select a.attrelid as of, a.attnum as at,
           pg_sequence_last_value(pg_get_serial_sequence(a.attrelid::regclass::text, a.attname)
             ::regclass) as last
      from pg_attribute a join pg_class c on c.oid = a.attrelid
     where c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped
       and (a.attidentity <> '' or a.atthasdef)
       and pg_get_serial_sequence(a.attrelid::regclass::text, a.attname) is not null
  )
  select of || '/' || at as column, coalesce(last, 0) as last from generated
  union all
  select k.conrelid || '/' || mine, coalesce(last, 0)
    from pg_constraint k, unnest(k.conkey, k.confkey) as pair (mine, other), generated
   where k.contype = 'f' and k.confrelid = generated.of and other = generated.at`;

async function readExecutionStart(client: Client): Promise<ExecutionStart> {
  const { rows: now } = await client.query<{ at: Date }>("select clock_timestamp() as at");
  const { rows } = await client.query<{ column: string; last: string }>(GENERATED_IDS);
  return {
    since: now[0]?.at ?? new Date(),
    ids: new Map(rows.map(({ column, last }) => [column, BigInt(last)])),
  };
}

/** All rows of all tables. */
async function allRows(
  client: Client,
  query: ClientQuery,
  start: ExecutionStart,
): Promise<Snapshot> {
  const contents: { [table: string]: Snapshot[string] } = {};
  for (const { shortName } of await tablesOf(query)) {
    const result = await client.query<(string | null)[]>({
      text: `select * from only ${shortName}`,
      rowMode: "array",
      types: AS_TEXT,
    });
    contents[shortName] = comparableRows(result, start);
  }
  return contents;
}

/**
 * Rows as objects, sorted, since few statements order theirs. Times and ids that an execution generated
 * become `(from the clock)` and `(new)`, so that executions can be compared.
 */
function comparableRows(
  { fields, rows }: Pick<QueryArrayResult<(string | null)[]>, "fields" | "rows">,
  start: ExecutionStart,
): { [column: string]: string | null }[] {
  const all = rows.map((row) =>
    Object.fromEntries(
      fields.map((field, index) => [field.name, comparableValue(row[index] ?? null, field, start)]),
    ),
  );
  return all.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

function comparableValue(
  value: string | null,
  { dataTypeID, tableID, columnID }: FieldDef,
  { since, ids }: ExecutionStart,
): string | null {
  if (value === null) return null;
  if (dataTypeID === TIMESTAMP || dataTypeID === TIMESTAMPTZ) {
    const elapsed = Date.parse(dataTypeID === TIMESTAMP ? `${value}Z` : value) - since.getTime();
    return elapsed >= 0 && elapsed <= DAY_MS ? "(from the clock)" : value;
  }
  const last = ids.get(`${tableID}/${columnID}`);
  return last !== undefined && /^\d+$/.test(value) && BigInt(value) > last ? "(new)" : value;
}
