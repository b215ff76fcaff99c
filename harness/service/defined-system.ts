import { createHash } from "node:crypto";
import fc from "fast-check";
import { type Client, DatabaseError } from "pg";
import type { Snapshot } from "../core/execution.ts";
import type { IdFields } from "../core/ids.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { runAll } from "../execution/run-all.ts";
import type { System, SystemContext } from "../execution/system.ts";
import { openClient, rowsOf } from "../postgres/connection.ts";
import { DefinedClients } from "./defined-clients.ts";
import { startService } from "./http-service.ts";
import { observed } from "./invariant-definition.ts";
import { arbitraryOf, type DefinedOperation, type DefinedState } from "./operation-definition.ts";
import { asJson } from "./outcome.ts";
import { ReachedStates } from "./reached-states.ts";
import { ReferencedColumns } from "./referenced-rows.ts";
import { RelatedRows } from "./related-rows.ts";
import { type ReferencedRows, referencesIn } from "./row-reference.ts";
import type { ClientQuery } from "./scenario-definition.ts";
import type { SerialProbe } from "./serial-probe.ts";
import type { ResolvedDefinition, ServiceDefinition } from "./service-definition.ts";
import { type FunctionOptions, type ServiceOfFunction, startFunction } from "./service-function.ts";
import { profileOf } from "./service-profile.ts";
import type { OutsideService } from "./service-start.ts";
import { contentsOf, type Table, tablesOf, takeSnapshot } from "./snapshot.ts";
import { NO_CATALOG, readCatalog, type SchemaCatalog } from "./sources/catalog.ts";
import { hasSource, resolvedOperations } from "./sources/operation-source.ts";

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
  const { definition, file, mutant } = options;
  const abort = new AbortController();
  const { signal } = abort;
  /** Ends what was started, the last first. */
  const undo: (() => unknown)[] = [];
  const stop = () => {
    abort.abort();
    return runAll(undo.splice(0).reverse());
  };
  try {
    const outside = await definition.outside?.();
    undo.push(() => outside?.stop());
    // First, since it may make its tables when it starts.
    const service = await startedService(definition, context, { file, signal, mutant, outside });
    undo.push(() => service?.stop());
    return { ...(await systemWith({ ...options, service, outside, signal }, context, undo)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** What runs besides the clients. */
interface RunningParts extends DefinedSystemOptions {
  readonly service: ServiceOfFunction | undefined;
  readonly outside: OutsideService | undefined;
  /** Ends what clients have under way. */
  readonly signal: AbortSignal;
}

async function systemWith(
  { definition: given, file, catalog: known, ids, service, outside, signal }: RunningParts,
  context: SystemContext,
  undo: (() => unknown)[],
): Promise<Omit<System<DefinedState, DefinedOperation>, "stop">> {
  let direct = await openClient(context.directUrl);
  undo.push(() => direct.end());
  // Of its own: restoring changes session_replication_role, and with it all plans of the session.
  let reading = await openClient(context.directUrl);
  undo.push(() => reading.end());
  const query: ClientQuery = (sql, values) => rowsOf(direct, sql, values);
  /** For statements that are executed after each execution. */
  const prepared = (sql: string) => preparedQuery(reading, sql);
  const isSourced = hasSource(given.operations);
  const catalog = known ?? (isSourced ? await readCatalog(query) : NO_CATALOG);
  const definition = resolvedDefinition(given, catalog, file);
  const referenced = await ReferencedColumns.of(columnsOf(definition), query, given.restore);
  const restorer = await takeSnapshot(query, given.restore);
  const clients = new DefinedClients(context, { definition, service, ids, signal });
  undo.push(() => clients.stop());

  /** Default: with the rows of the moment. */
  const performAlone = async (operation: DefinedOperation, rows?: ReferencedRows) =>
    clients.performAlone(
      operation,
      rows ?? (await referenced.read(referencesIn(operation).map(({ of }) => of))),
    );
  const states = new ReachedStates({
    ...{ query, restorer, referenced, outside },
    perform: (operation) => performAlone(operation),
  });
  let before: Snapshot = {};

  let tables: readonly Table[] | undefined;
  const contents = async () => {
    // The catalog is slow to read, and an execution that changes the schema is seldom.
    if (tables === undefined || (await restorer.dirty())) tables = await tablesOf(query);
    return withoutIgnored(await contentsOf(prepared, tables), definition.ignore ?? []);
  };
  const { restart, pools: { warm } = {} } = service ?? {};
  return {
    async reset({ prefix }) {
      const { rows, contents } = await states.reach(prefix);
      before = contents;
      clients.begin(rows);
      await service?.begin?.();
    },

    ...(service?.notes && { notes: service.notes }),

    dirty: () => restorer.dirty(),
    restoresRows: restorer.repeats,

    perform: (operation, client, patience) => clients.perform(operation, client, patience),
    retries: (operation) => clients.retries(operation),

    observe: (when) =>
      observed(
        definition.invariants ?? {},
        {
          ...{ initial: before, answers: clients.answers, outside: outside as OutsideService },
          query: (sql, values) => (values === undefined ? prepared(sql) : query(sql, values)),
        },
        when,
      ),

    contents,
    initialContents: () => before,

    async profile(pairs) {
      const probe: SerialProbe = {
        query,
        restore: () => states.restore(),
        reach: (prefix) => states.try(prefix),
        rows: () => referenced.read(),
        related: await RelatedRows.of(query, referenced.columns),
        perform: performAlone,
      };
      const profile = await profileOf(definition, probe, pairs);
      return asJson<Json>(isSourced ? { ...profile, catalog } : profile);
    },

    async recover() {
      direct = await openClient(context.directUrl);
      reading = await openClient(context.directUrl);
    },

    ...(restart && {
      async kill() {
        await restart();
        await clients.settled();
      },
    }),

    ...service?.pools,
    ...(warm
      ? {
          async warm() {
            await warm();
            await clients.warm();
          },
        }
      : // A pool and prepared statements; and the connections of clients.
        { remembers: true }),
    ...(Object.values(definition.operations).some((how) => !("http" in how)) && {
      killClient: async (client: number) => clients.kill(client),
    }),
    ...(service?.ended && { ended: service.ended, disconnecting: service.disconnecting }),
  };
}

/** Why a statement cannot be prepared, or not any more: several in one, and other columns than before. */
const UNPREPARED = ["42601", "0A000"];

/** Executes a statement as a prepared one: it is planned once. */
async function preparedQuery(client: Client, sql: string): Promise<JsonObject[]> {
  const name = createHash("md5").update(sql).digest("hex");
  try {
    return await rowsOf(client, { name, text: sql });
  } catch (error) {
    if (!(error instanceof DatabaseError && UNPREPARED.includes(error.code ?? ""))) throw error;
    return rowsOf(client, sql);
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

async function startedService(
  { service }: ServiceDefinition,
  context: SystemContext,
  options: FunctionOptions,
): Promise<ServiceOfFunction | undefined> {
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
