import type { ClientBase } from "pg";
import { HarnessError } from "../core/error.ts";
import { memoize } from "../parser/memoize.ts";
import { definitionOf, type RoutineDefinition } from "../parser/plpgsql.ts";
import { loadParser } from "../parser/sql.ts";
import { BLOCK_PLACE, gatedBlocks } from "./do-blocks.ts";
import { installGateFunction } from "./gate-function.ts";
import type { GateKind, UninstrumentedRoutine } from "./gate-kind.ts";
import { PRIVATE_FUNCTIONS, type SharedState, sharedAccessOf } from "./gate-positions.ts";
import {
  type InstrumentedSource,
  instrument,
  type MissingGate,
  type SourceGate,
} from "./instrument-routine.ts";
import { instrumentSql } from "./instrument-sql.ts";
import { readUniqueColumns, type UniqueColumns } from "./most-rows.ts";

/** Gates between the statements of functions and procedures in PL/pgSQL and SQL. */
export const routineGates: GateKind = {
  name: "routine",
  install: async (client, first, names = []) => {
    const rows = names.includes("lock");
    const { gates, uninstrumented, shared } = await installRoutineGates(client, { first, rows });
    const place = first + gates.length;
    const blocks = memoize((sql: string) => ({ gated: gatedBlocks(sql, place, shared) }));
    return {
      places: [
        ...gates.map(({ routine, line, text }) => ({ of: routine, line, next: text })),
        BLOCK_PLACE,
      ],
      uninstrumented,
      wire: { blocks: { place, gated: (sql) => blocks(sql).gated } },
    };
  },
  remove: removeRoutineGates,
};

/** The gates that were installed in routines. Routines are named as `regprocedure` prints them. */
export interface InstalledRoutineGates {
  /** In the order of their numbers, which are consecutive and the same for the same schema. */
  readonly gates: readonly (SourceGate & { readonly routine: string })[];
  /** Routines that run in one step. */
  readonly uninstrumented: readonly UninstrumentedRoutine[];
  /** The functions before whose calls a gate belongs. */
  readonly shared: SharedState;
  /** Accesses in gated routines that happen in one step with what precedes them. */
  readonly missing: readonly (MissingGate & { readonly routine: string })[];
}

/** A routine of the schema under test, as the catalog has it. */
interface CatalogRoutine {
  readonly oid: number;
  readonly name: string;
  /** Its signature, as `regprocedure` prints it. */
  readonly routine: string;
  readonly language: string;
  /** `provolatile`: VOLATILE, STABLE or IMMUTABLE. */
  readonly volatility: "v" | "s" | "i";
  /** `proparallel`: UNSAFE, RESTRICTED or SAFE. */
  readonly parallel: "u" | "r" | "s";
  readonly source: string;
  /** The default values of its arguments, as a list of expressions. */
  readonly defaults: string | null;
  readonly definition: string | null;
}

interface RoutineGateOptions {
  /** The number of the first gate. Default: 1. */
  readonly first?: number;
  /** The schemas under test. Default: all but the system's. */
  readonly schemas?: readonly string[];
  /** Whether a query that locks several rows has a gate after each. Default: false. */
  readonly rows?: boolean;
}

/**
 * Re-creates each function, procedure and trigger function in PL/pgSQL or SQL of the schema under test
 * with gates in it, except those of extensions. Owners, privileges, comments, settings, oids and
 * dependent objects stay as they are. Gates of an earlier call are replaced. The client must not be
 * in a transaction, and must be a superuser or the owner of the routines.
 *
 * In a routine that is STABLE or IMMUTABLE, gates stand only before statements that call something
 * volatile, such as a function that takes a lock. All its queries use the snapshot of the calling
 * statement (https://www.postgresql.org/docs/current/xfunc-volatility.html), so a pause between two
 * that only read shows nothing that a pause before that statement does not show. A gate leaves that
 * snapshot as it is. A routine with gates becomes PARALLEL UNSAFE, because a parallel worker is not a
 * session that can wait.
 *
 * @throws HarnessError UNSUPPORTED when a routine cannot be re-created.
 */
export async function installRoutineGates(
  client: ClientBase,
  { first = 1, schemas, rows = false }: RoutineGateOptions = {},
): Promise<InstalledRoutineGates> {
  await installGateFunction(client);
  await removeRoutineGates(client);
  const { rows: routines } = await client.query<CatalogRoutine>(ROUTINES, [schemas]);
  const server = await serverFunctions(client, routines);
  const unique = rows ? await readUniqueColumns(client) : undefined;
  const { gated, uninstrumented, shared } = await instrumentAll(routines, server, unique, first);
  await inTransaction(client, async () => {
    await client.query(PLAIN_TABLE);
    for (const [routine, { source, gates }] of gated) {
      if (gates.length > 0) await replace(client, routine, source);
    }
  });
  const withRoutine = <T>({ routine }: CatalogRoutine, items: readonly T[]) =>
    items.map((item) => ({ ...item, routine }));
  return {
    gates: [...gated].flatMap(([routine, { gates }]) => withRoutine(routine, gates)),
    uninstrumented: routines.flatMap((it) => {
      const gateless = gated.get(it)?.gates.length === 0 ? reasonForNoGates(it) : undefined;
      const reason = uninstrumented.get(it) ?? gateless;
      return reason === undefined ? [] : [{ routine: it.routine, reason }];
    }),
    shared,
    missing: [...gated].flatMap(([routine, { missing }]) => withRoutine(routine, missing)),
  };
}

/** Restores the sources of routines with gates, except of routines that were changed since. */
export async function removeRoutineGates(client: ClientBase): Promise<void> {
  const { rows } = await client.query("select to_regclass('heddle.plain') is not null as gated");
  if (!rows[0].gated) return;
  await inTransaction(client, async () => {
    const { rows: plain } = await client.query<{ definition: string }>(
      `select definition from heddle.plain
        where exists (select from pg_proc where pg_proc.oid = plain.oid and prosrc = gated)`,
    );
    await client.query("set local check_function_bodies = off");
    for (const { definition } of plain) await client.query(definition);
    await client.query("drop table heddle.plain");
  });
}

const ROUTINES = `
select p.oid, proname as name, p.oid::regprocedure::text as routine, lanname as language,
       provolatile as volatility, proparallel as parallel, prosrc as source,
       pg_get_expr(proargdefaults, 0) as defaults,
       case when lanname = 'plpgsql' or (lanname = 'sql' and prosqlbody is null)
            then pg_get_functiondef(p.oid) end as definition
  from pg_proc p
  join pg_namespace n on n.oid = pronamespace
  join pg_language l on l.oid = prolang
 where prokind in ('f', 'p')
   and nspname !~ '^(pg_.*|information_schema|heddle)$'
   and ($1::text[] is null or nspname = any ($1))
   and not exists (select from pg_depend
                    where classid = 'pg_proc'::regclass and objid = p.oid and deptype = 'e')
 order by nspname collate "C", proname collate "C",
          pg_get_function_identity_arguments(p.oid) collate "C"`;

/** The definitions of routines before they got gates. */
const PLAIN_TABLE = "create table heddle.plain (oid oid, gated text, definition text)";

type GatedSource = Extract<InstrumentedSource, { readonly gated: true }>;

/**
 * A statement that only calls a gated routine needs no gate of its own, unless the defaults of the
 * routine's arguments access shared state. Whether a routine has gates therefore matters to its
 * callers, and all routines are instrumented again until no further one turns out to have none.
 */
async function instrumentAll(
  routines: readonly CatalogRoutine[],
  server: ServerFunctions,
  unique: UniqueColumns | undefined,
  first: number,
) {
  await loadParser();
  /** What a routine needs gates for: it reads with snapshots of its own, or with its caller's. */
  const own = { functions: new Set(server.shared), tables: true, unique };
  const callers = { functions: new Set(server.volatile), tables: false, unique };
  const needs = ({ volatility }: CatalogRoutine) => (volatility === "v" ? own : callers);
  const add = ({ name, volatility }: CatalogRoutine) => {
    if (volatility !== "i") own.functions.add(name);
    if (volatility === "v") callers.functions.add(name);
  };
  const uninstrumented = new Map<CatalogRoutine, string>();
  for (const routine of routines) {
    const reason = uninstrumentable(routine);
    if (reason !== undefined) uninstrumented.set(routine, reason);
    // The call of a STABLE routine takes the snapshot that it reads with.
    if (reason !== undefined || routine.volatility === "s") add(routine);
  }
  for (;;) {
    const size = () => uninstrumented.size + own.functions.size + callers.functions.size;
    const before = size();
    const gated = new Map<CatalogRoutine, GatedSource>();
    let next = first;
    for (const routine of routines.filter((it) => !uninstrumented.has(it))) {
      const result =
        routine.language === "sql"
          ? await instrumentSql(routine.source, next, own)
          : await instrument(partsOf(routine), next, needs(routine));
      if (result.gated) {
        gated.set(routine, result);
        next += result.gates.length;
      } else uninstrumented.set(routine, result.reason);
      if (!result.gated || result.missing.length > 0) {
        own.functions.add(routine.name);
        callers.functions.add(routine.name);
      }
    }
    // The caller evaluates the defaults before the routine's first gate.
    for (const { name, defaults } of routines) {
      if (defaults === null) continue;
      for (const it of [own, callers]) {
        if (sharedAccessOf(`select ${defaults}`, it) !== "none") it.functions.add(name);
      }
    }
    if (size() === before) return { gated, uninstrumented, shared: own };
  }
}

/** Why a routine cannot be instrumented; undefined if it can. */
function uninstrumentable({
  language,
  volatility,
  definition,
}: CatalogRoutine): string | undefined {
  if (language === "plpgsql") return undefined;
  if (language !== "sql") return `it is written in ${language}`;
  if (volatility !== "v") return readsWithCaller(volatility);
  return definition === null ? "it was parsed when it was created (BEGIN ATOMIC)" : undefined;
}

/** Why a routine that could be instrumented has no gates; undefined if it needs none. */
function reasonForNoGates({ volatility }: CatalogRoutine): string | undefined {
  return volatility === "v" ? undefined : readsWithCaller(volatility);
}

function readsWithCaller(volatility: "s" | "i"): string {
  return `it is ${volatility === "s" ? "STABLE" : "IMMUTABLE"}: all its queries use the snapshot of the statement that calls it`;
}

function partsOf({ source, definition, routine }: CatalogRoutine): RoutineDefinition {
  return definitionOf(routine, definition ?? "", source);
}

/** Volatile functions of the server that need no gate: they read or set state of their session. */
export const UNGATED_FUNCTIONS = [...PRIVATE_FUNCTIONS, "set_config", "currval", "lastval"];

/** The functions that may access shared state, and those among them that may change it or wait. */
interface ServerFunctions {
  readonly shared: readonly string[];
  readonly volatile: readonly string[];
}

/** Those outside the schema under test: of the server, of extensions and of other schemas. */
async function serverFunctions(
  client: ClientBase,
  routines: readonly CatalogRoutine[],
): Promise<ServerFunctions> {
  const { rows } = await client.query<{ name: string; volatile: boolean }>(
    `select proname as name, bool_or(provolatile = 'v') as volatile from pg_proc
      where pronamespace <> 'heddle'::regnamespace
        and case pronamespace
              when 'pg_catalog'::regnamespace
                then provolatile = 'v' and proname <> all ($1::name[])
              else provolatile <> 'i' and oid <> all ($2::oid[])
            end
      group by 1`,
    [UNGATED_FUNCTIONS, routines.map(({ oid }) => oid)],
  );
  return {
    shared: rows.map(({ name }) => name),
    volatile: rows.flatMap(({ name, volatile }) => (volatile ? [name] : [])),
  };
}

async function replace(client: ClientBase, routine: CatalogRoutine, source: string): Promise<void> {
  const { head, tail } = partsOf(routine);
  try {
    await client.query("set local check_function_bodies = off");
    await client.query(head + source + tail);
    if (routine.parallel !== "u") {
      await client.query(`alter function ${routine.routine} parallel unsafe`);
    }
  } catch (cause) {
    throw new HarnessError(
      "UNSUPPORTED",
      `the routine ${routine.routine} cannot be re-created with gates: ${(cause as Error).message}; ` +
        "connect as its owner or a superuser, or leave its schema out",
      { cause },
    );
  }
  await client.query("insert into heddle.plain values ($1, $2, $3)", [
    routine.oid,
    source,
    routine.definition,
  ]);
}

async function inTransaction(client: ClientBase, work: () => Promise<void>): Promise<void> {
  await client.query("begin");
  try {
    await work();
    await client.query("commit");
  } catch (error) {
    await client.query("rollback");
    throw error;
  }
}
