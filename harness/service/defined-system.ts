import { createHash } from "node:crypto";
import fc from "fast-check";
import { type Client, DatabaseError } from "pg";
import { HarnessError } from "../core/error.ts";
import type { Snapshot } from "../core/execution.ts";
import type { Response } from "../core/history.ts";
import type { IdFields } from "../core/ids.ts";
import type { Json, JsonObject } from "../core/json.ts";
import type { System, SystemContext } from "../execution/system.ts";
import { openClient } from "../postgres/connection.ts";
import { type AnswerIds, answeredIds } from "./answer-ids.ts";
import { CLIENT_HEADER } from "./connection-owners.ts";
import { answered, identityOf } from "./defined-request.ts";
import { outcomeOfRequest, startService } from "./http-service.ts";
import { observed } from "./invariant-definition.ts";
import { KillableClients } from "./killable-clients.ts";
import {
  arbitraryOf,
  argumentsOf,
  type CallOperation,
  type DefinedOperation,
  type DefinedState,
  type OperationDefinition,
  type RequestOperation,
  requestOf,
  type StatementOperation,
} from "./operation-definition.ts";
import { asJson, outcomeOf, outcomeOfLostRequest, responseOf } from "./outcome.ts";
import { ReferencedColumns } from "./referenced-rows.ts";
import { RelatedRows } from "./related-rows.ts";
import { NO_ROW, type ReferencedRows, referencesIn, resolved } from "./row-reference.ts";
import type { ClientQuery } from "./scenario-definition.ts";
import type {
  AnsweredOperation,
  ResolvedDefinition,
  ServiceDefinition,
} from "./service-definition.ts";
import { type FunctionOptions, type StartedFunction, startFunction } from "./service-function.ts";
import { profileOf } from "./service-profile.ts";
import type { OutsideService } from "./service-start.ts";
import { contentsOf, type Table, tablesOf, takeSnapshot, withoutCurrentTimes } from "./snapshot.ts";
import { NO_CATALOG, readCatalog, type SchemaCatalog } from "./sources/catalog.ts";
import { hasSource, resolvedOperations } from "./sources/operation-source.ts";
import { SqlClients } from "./sql-clients.ts";

/** A state that was reached once, and how it is restored. */
interface ReachedState {
  readonly restore: () => Promise<void>;
  readonly rows: ReferencedRows;
  readonly contents: Snapshot;
}

/** How many reached states are copied at a time. Shrinking and searches stay with one for long. */
const COPIES = 8;

/** Nothing is sent, and nothing has happened. */
const NOT_SENT: Response = { outcome: "fail", code: NO_ROW, body: null };

/** What a definition compiles to, as far as the running system needs it. */
export interface DefinedSystemOptions {
  readonly definition: ServiceDefinition;
  /** The definition's file: programs start in its folder. */
  readonly file: URL;
  /** What the catalog says; undefined: it is read if a source of operations needs it. */
  readonly catalog: SchemaCatalog | undefined;
  /** The fields that hold generated ids. */
  readonly ids: IdFields;
  /** The seeded bug with which the service is started. */
  readonly mutant: string | undefined;
}

/** Starts the service of a definition, and performs its operations. */
export async function startDefined(
  options: DefinedSystemOptions,
  context: SystemContext,
): Promise<System<DefinedState, DefinedOperation>> {
  const abort = new AbortController();
  const { definition, file, mutant } = options;
  const outside = await definition.outside?.();
  let service: StartedFunction | undefined;
  try {
    // First, since it may make its tables when it starts.
    const { signal } = abort;
    service = await startedService(definition, context, { file, signal, mutant, outside });
    return await systemWith(service, outside, options, context, abort);
  } catch (error) {
    abort.abort();
    await service?.stop();
    await outside?.stop();
    throw error;
  }
}

async function systemWith(
  service: StartedFunction | undefined,
  outside: OutsideService | undefined,
  { definition: given, file, catalog: known, ids }: DefinedSystemOptions,
  context: SystemContext,
  abort: AbortController,
): Promise<System<DefinedState, DefinedOperation>> {
  let direct = await openClient(context.directUrl);
  const query: ClientQuery = async (sql, values = []) =>
    (await direct.query<JsonObject>(sql, [...values])).rows;
  // Of its own: restoring changes session_replication_role, and with it all plans of the session.
  let reading = await openClient(context.directUrl);
  /** For statements that are executed after each execution. */
  const prepared = (sql: string) => preparedQuery(reading, sql);
  const isSourced = hasSource(given.operations);
  const catalog = known ?? (isSourced ? await readCatalog(query) : NO_CATALOG);
  const definition = resolvedDefinition(given, catalog, file);
  const referenced = await ReferencedColumns.of(columnsOf(definition), query);
  const { restore, dirty, copy } = await takeSnapshot(query, given.restore);
  const { signal } = abort;
  const sqlClients = new SqlClients(context);
  const killable = new KillableClients(signal);
  /** By prefix, the least recently used first. */
  const reached = new Map<string, ReachedState & { readonly number: number }>();
  let state: Pick<ReachedState, "rows" | "contents"> = { rows: new Map(), contents: {} };
  let answers: AnsweredOperation[] = [];
  /** By client: the ids in its answers. */
  let own = new Map<number, AnswerIds>();
  const unanswered = new Set<Promise<Response>>();

  const request = async (how: RequestOperation, operation: DefinedOperation, client: number) => {
    const http = requestOf(how, operation);
    const headers = {
      ...(service?.pools?.ownerOf && { [CLIENT_HEADER]: String(client) }),
      ...http.headers,
      ...(await identityOf(definition, operation, client)),
    };
    return outcomeOfRequest({ http: { ...http, headers } }, service?.url, signal).catch(
      (error: unknown) => outcomeOfLostRequest(error, service),
    );
  };

  /** Performs an operation that this process is the client of. */
  const inProcess = (
    how: StatementOperation | CallOperation,
    values: JsonObject,
    client: number,
  ) => {
    const query: ClientQuery = (sql, parameters = []) =>
      sqlClients.execute(client, sql, parameters);
    const run =
      "sql" in how
        ? () => query(how.sql, Object.values(values))
        : () => how.call(values, { client, query, service: service?.url, signal });
    return killable.outcomeOf(client, () => outcomeOf(run));
  };

  const send = async (operation: DefinedOperation, client: number): Promise<Response> => {
    const how = operationOf(definition, operation.name);
    const { values } = argumentsOf(operation);
    const outcome =
      "http" in how ? request(how, operation, client) : inProcess(how, values, client);
    const response = answered(responseOf(await outcome), definition);
    const { body } = response;
    const counts = how.answer && response.outcome === "ok" ? asJson<Json>(how.answer(body)) : body;
    return { ...response, body: withoutCurrentTimes(counts) };
  };

  /** Performs an operation while no other is under way. Default: with the rows of the moment. */
  const performNow = async (
    operation: DefinedOperation,
    rows?: ReferencedRows,
  ): Promise<Response> => {
    const now = rows ?? (await referenced.read(referencesIn(operation).map(({ of }) => of)));
    const request = resolved(operation, now, () => undefined);
    return request === undefined ? NOT_SENT : send(request, 0);
  };

  const reach = async (prefix: readonly DefinedOperation[]): Promise<ReachedState> => {
    const key = JSON.stringify(prefix);
    const known = reached.get(key);
    reached.delete(key);
    if (known !== undefined) {
      reached.set(key, known);
      return known;
    }
    const [oldest] = reached.size < COPIES ? [] : reached;
    if (oldest !== undefined) reached.delete(oldest[0]);
    const number = oldest?.[1].number ?? reached.size;
    await restore();
    await outside?.begin?.(await contentsOf(query));
    for (const operation of prefix) await performNow(operation);
    const restoreCopy = prefix.length === 0 ? restore : await copy(number);
    const one = {
      restore: restoreCopy,
      rows: await referenced.read(),
      contents: await contentsOf(query),
      number,
    };
    reached.set(key, one);
    return one;
  };

  /** Prefixes that were performed once. Most are tried only once, so a copy comes with the second time. */
  const tried = new Set<string>();
  const reachNow = async (prefix: readonly DefinedOperation[]): Promise<ReferencedRows> => {
    const key = JSON.stringify(prefix);
    if (!tried.has(key)) {
      tried.add(key);
      await restore();
      for (const operation of prefix) await performNow(operation);
      return referenced.read();
    }
    const one = await reach(prefix);
    await one.restore();
    return one.rows;
  };

  let tables: readonly Table[] | undefined;
  const contents = async () => {
    // The catalog is slow to read, and an execution that changes the schema is seldom.
    if (tables === undefined || (await dirty())) tables = await tablesOf(query);
    return withoutIgnored(await contentsOf(prepared, tables), definition.ignore ?? []);
  };
  const { restart, pools: { warm } = {} } = service ?? {};
  return {
    async reset({ prefix }) {
      [answers, own] = [[], new Map()];
      const one = await reach(prefix);
      state = one;
      // Also right after the prefix: the rows are then in the same physical order as later.
      await one.restore();
      await outside?.begin?.(one.contents);
      await service?.begin?.();
    },

    ...(service?.notes && { notes: service.notes }),

    dirty,

    async perform(operation, client) {
      const ownOf = (column: string) => own.get(client)?.ofColumn(column);
      const request = resolved(operation, state.rows, ownOf);
      if (request === undefined) return NOT_SENT;
      const answer = send(request, client);
      // A client of the database waits for no service that could be killed.
      if (!("sql" in operationOf(definition, operation.name))) unanswered.add(answer);
      const response = await answer;
      unanswered.delete(answer);
      const { code, body } = response;
      const { values } = argumentsOf(request);
      answers.push({ client, operation: operation.name, arguments: values, code, body });
      if (response.outcome === "ok") {
        const answered = answeredIds(body, operation.name, ids);
        own.set(client, own.get(client)?.and(answered) ?? answered);
      }
      return response;
    },

    retries({ name }) {
      const how = operationOf(definition, name);
      return !("http" in how) || how.retry !== false;
    },

    observe: (when) =>
      observed(
        definition.invariants ?? {},
        {
          ...{ initial: state.contents, answers, outside: outside as OutsideService },
          query: (sql, values) => (values === undefined ? prepared(sql) : query(sql, values)),
        },
        when,
      ),

    contents,
    initialContents: () => state.contents,

    async profile(pairs) {
      const rows = () => referenced.read();
      const related = await RelatedRows.of(query, referenced.columns);
      const profile = await profileOf(
        definition,
        { query, restore, reach: reachNow, rows, related, perform: performNow },
        pairs,
      );
      return asJson<Json>(isSourced ? { ...profile, catalog } : profile);
    },

    async recover() {
      direct = await openClient(context.directUrl);
      reading = await openClient(context.directUrl);
    },

    ...(restart && {
      async kill() {
        await restart();
        await Promise.all(unanswered);
      },
    }),

    ...service?.pools,
    ...(warm
      ? {
          async warm() {
            await warm();
            await sqlClients.warm();
          },
        }
      : // A pool and prepared statements; and the connections of clients.
        { remembers: true }),
    ...(Object.values(definition.operations).some((how) => !("http" in how)) && {
      async killClient(client: number) {
        void killable.kill(client);
        sqlClients.forget(client);
      },
    }),
    ...(service?.ended && { ended: service.ended, disconnecting: service.disconnecting }),

    async stop() {
      abort.abort();
      await sqlClients.stop();
      await service?.stop();
      await outside?.stop();
      await Promise.all([direct.end(), reading.end()]);
    },
  };
}

/** Why a statement cannot be prepared, or not any more: several in one, and other columns than before. */
const UNPREPARED = ["42601", "0A000"];

/** Executes a statement as a prepared one: it is planned once. */
async function preparedQuery(client: Client, sql: string): Promise<JsonObject[]> {
  const name = createHash("md5").update(sql).digest("hex");
  try {
    return (await client.query<JsonObject>({ name, text: sql })).rows;
  } catch (error) {
    if (!(error instanceof DatabaseError && UNPREPARED.includes(error.code ?? ""))) throw error;
    return (await client.query<JsonObject>(sql)).rows;
  }
}

/** The definition with the operations of its sources. */
export function resolvedDefinition(
  definition: ServiceDefinition,
  catalog: SchemaCatalog,
  file: URL,
): ResolvedDefinition {
  return {
    ...definition,
    operations: resolvedOperations(definition.operations, { catalog, file }),
  };
}

/** Enough samples to see each column that an operation refers to. */
const SAMPLES = 200;

/** The columns that generated operations refer to. */
function columnsOf({ operations }: ResolvedDefinition): ReadonlySet<string> {
  const samples = Object.entries(operations).flatMap(([name, operation]) =>
    fc.sample(arbitraryOf(name, operation), { seed: 1, numRuns: SAMPLES }),
  );
  return new Set(samples.flatMap((one) => referencesIn(one as Json).map(({ of }) => of as string)));
}

function operationOf({ operations }: ResolvedDefinition, name: string): OperationDefinition {
  const operation = operations[name];
  if (operation !== undefined) return operation;
  throw new HarnessError(
    "SERVICE_FAILED",
    `the service has no operation "${name}" any more: give the file with which the counterexample was found`,
  );
}

async function startedService(
  { service }: ServiceDefinition,
  context: SystemContext,
  options: FunctionOptions,
): Promise<StartedFunction | undefined> {
  if (service === undefined) return undefined;
  if (typeof service === "function") return startFunction(service, context, options);
  return startService(service, context, options);
}

/** The rows without the tables and columns that the definition ignores. */
function withoutIgnored(contents: Snapshot, ignore: readonly string[]): Snapshot {
  if (ignore.length === 0) return contents;
  const kept = Object.entries(contents).flatMap(([table, rows]) => {
    const names = [table, table.slice(table.indexOf(".") + 1)];
    if (ignore.some((one) => names.includes(one))) return [];
    const isLeft = ([column]: [string, Json]) =>
      !names.some((name) => ignore.includes(`${name}.${column}`));
    return [
      [table, rows.map((row) => Object.fromEntries(Object.entries(row).filter(isLeft)))] as const,
    ];
  });
  return Object.fromEntries(kept);
}
