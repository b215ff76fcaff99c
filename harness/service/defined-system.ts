import fc from "fast-check";
import { HarnessError } from "../core/error.ts";
import type { Snapshot } from "../core/execution.ts";
import type { Response } from "../core/history.ts";
import type { IdFields } from "../core/ids.ts";
import type { Json, JsonObject } from "../core/json.ts";
import type { System, SystemContext } from "../execution/system.ts";
import { openClient } from "../postgres/connection.ts";
import { kindOfColumn } from "./generated-ids.ts";
import { outcomeOfRequest, type StartedService, startService } from "./http-service.ts";
import { observed } from "./invariant-definition.ts";
import { KillableClients } from "./killable-clients.ts";
import {
  arbitraryOf,
  argumentsOf,
  type DefinedOperation,
  type OperationDefinition,
  requestOf,
} from "./operation-definition.ts";
import { asJson, outcomeOf, outcomeOfLostRequest, responseOf } from "./outcome.ts";
import { ReferencedColumns } from "./referenced-rows.ts";
import { RelatedRows } from "./related-rows.ts";
import { type ReferencedRows, referencesIn, resolved } from "./row-reference.ts";
import type { ClientQuery, Outcome } from "./scenario-definition.ts";
import type {
  AnsweredOperation,
  ResolvedDefinition,
  ServiceDefinition,
} from "./service-definition.ts";
import { profileOf } from "./service-profile.ts";
import { contentsOf, takeSnapshot } from "./snapshot.ts";
import { NO_CATALOG, readCatalog, type SchemaCatalog } from "./sources/catalog.ts";
import { hasSource, resolvedOperations } from "./sources/operation-source.ts";
import { SqlClients } from "./sql-clients.ts";

/** The state that a scenario begins in: the one after these operations, one after the other. */
export type DefinedState = { readonly prefix: readonly DefinedOperation[] };

/** A state that was reached once, and how it is restored. */
interface ReachedState {
  readonly restore: () => Promise<void>;
  readonly rows: ReferencedRows;
  readonly contents: Snapshot;
}

/** How many reached states are copied at a time. Shrinking and searches stay with one for long. */
const COPIES = 8;

/** The code of an operation whose row reference has no row. */
export const NO_ROW = "NO_ROW";

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
}

/** Starts the service of a definition, and performs its operations. */
export async function startDefined(
  options: DefinedSystemOptions,
  context: SystemContext,
): Promise<System<DefinedState, DefinedOperation>> {
  const abort = new AbortController();
  // First, since it may make its tables when it starts.
  const service = await startedService(options.definition, context, options.file, abort.signal);
  try {
    return await systemWith(service, options, context, abort);
  } catch (error) {
    abort.abort();
    await service?.stop();
    throw error;
  }
}

async function systemWith(
  service: StartedService | undefined,
  { definition: given, file, catalog: known, ids }: DefinedSystemOptions,
  context: SystemContext,
  abort: AbortController,
): Promise<System<DefinedState, DefinedOperation>> {
  let direct = await openClient(context.directUrl);
  const query: ClientQuery = async (sql, values = []) =>
    (await direct.query<JsonObject>(sql, [...values])).rows;
  const isSourced = hasSource(given.operations);
  const catalog = known ?? (isSourced ? await readCatalog(query) : NO_CATALOG);
  const definition = resolvedDefinition(given, catalog, file);
  const referenced = await ReferencedColumns.of(columnsOf(definition), query);
  const { restore, dirty, copy } = await takeSnapshot(query);
  const { signal } = abort;
  const sqlClients = new SqlClients(context);
  const killable = new KillableClients(signal);
  /** By prefix, the least recently used first. */
  const reached = new Map<string, ReachedState & { readonly number: number }>();
  let state: Pick<ReachedState, "rows" | "contents"> = { rows: new Map(), contents: {} };
  let answers: AnsweredOperation[] = [];
  /** By client, then by kind: the last id that an answer had. */
  let own = new Map<string, Json>();
  const unanswered = new Set<Promise<Outcome>>();

  const send = (operation: DefinedOperation, client: number): Promise<Outcome> => {
    const how = operationOf(definition, operation.name);
    if ("http" in how) {
      return outcomeOfRequest({ http: requestOf(how, operation) }, service?.url, signal).catch(
        (error: unknown) => outcomeOfLostRequest(error, service),
      );
    }
    const { values } = argumentsOf(operation);
    return killable.outcomeOf(client, () =>
      outcomeOf(() => sqlClients.execute(client, how.sql, Object.values(values))),
    );
  };

  /** Performs an operation while no other is under way. Default: with the rows of the moment. */
  const performNow = async (
    operation: DefinedOperation,
    rows?: ReferencedRows,
  ): Promise<Response> => {
    const now = rows ?? (await referenced.read(referencesIn(operation).map(({ of }) => of)));
    const request = resolved(operation, now, () => undefined);
    return request === undefined ? NOT_SENT : responseOf(await send(request, 0));
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

  const contents = async () => withoutIgnored(await contentsOf(query), definition.ignore ?? []);
  const { restart } = service ?? {};
  return {
    async reset({ prefix }) {
      [answers, own] = [[], new Map()];
      const one = await reach(prefix);
      state = one;
      // Also right after the prefix: the rows are then in the same physical order as later.
      await one.restore();
      await service?.begin?.();
    },

    ...(service?.notes && { notes: service.notes }),

    dirty,

    async perform(operation, client) {
      const ownOf = (column: string) => own.get(`${client} ${kindOfColumn(ids, column)}`);
      const request = resolved(operation, state.rows, ownOf);
      if (request === undefined) return NOT_SENT;
      const answer = send(request, client);
      // A client of the database waits for no service that could be killed.
      if ("http" in operationOf(definition, operation.name)) unanswered.add(answer);
      const response = responseOf(await answer);
      unanswered.delete(answer);
      const { code, body } = response;
      const { values } = argumentsOf(request);
      answers.push({ client, operation: operation.name, arguments: values, code, body });
      for (const [kind, id] of ownIds(response, operation.name, ids)) {
        own.set(`${client} ${kind}`, id);
      }
      return response;
    },

    retries({ name }) {
      const how = operationOf(definition, name);
      return !("http" in how) || how.retry !== false;
    },

    observe: (when) =>
      observed(definition.invariants ?? {}, { query, initial: state.contents, answers }, when),

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
    },

    ...(restart && {
      async kill() {
        await restart();
        await Promise.all(unanswered);
      },
    }),

    ...(Object.values(definition.operations).some((how) => "sql" in how) && {
      async killClient(client) {
        void killable.kill(client);
        sqlClients.forget(client);
      },
    }),

    // A pool and prepared statements; and the connections of clients.
    remembers: true,
    ...(service?.ended && { ended: service.ended, disconnecting: service.disconnecting }),

    async stop() {
      abort.abort();
      await sqlClients.stop();
      await service?.stop();
      await direct.end();
    },
  };
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
  file: URL,
  signal: AbortSignal,
): Promise<StartedService | undefined> {
  if (service === undefined) return undefined;
  if (typeof service !== "function") return startService(service, context, { file, signal });
  const started = await service({ databaseUrl: await context.urlFor() });
  return {
    url: started.url,
    stop: async () => {
      await started.stop();
    },
  };
}

/** The ids in an answer that took effect, each with its kind. */
function ownIds(
  { outcome, body }: Response,
  operation: string,
  ids: IdFields,
): readonly (readonly [kind: string, id: Json])[] {
  const answer = Array.isArray(body) ? body[0] : body;
  if (outcome !== "ok" || typeof answer !== "object" || answer === null) return [];
  return Object.entries(answer as JsonObject).flatMap(([field, value]) => {
    const kind = ids[operation]?.[field];
    return kind === undefined || value === null ? [] : [[kind, value] as const];
  });
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
