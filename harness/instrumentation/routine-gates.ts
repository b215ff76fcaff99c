import { loadModule } from "libpg-query";
import type { ClientBase } from "pg";
import { HarnessError } from "../core/error.ts";
import { installGateFunction } from "./gate-function.ts";
import {
  type Definition,
  definitionOf,
  type Instrumented,
  instrument,
  type Joined,
  type SourcePlace,
} from "./routine-source.ts";
import { EXPRESSION, type TouchingNames, touchOf } from "./routine-touches.ts";

/** What was installed, and what was not. Routines are named as `regprocedure` names them. */
export interface RoutineGates {
  /** By their numbers, which are from 1 and the same for the same schema. */
  readonly places: readonly (SourcePlace & { readonly routine: string })[];
  /** Routines that run whole, as DO blocks always do. */
  readonly whole: readonly { readonly routine: string; readonly reason: string }[];
  /** Places in gated routines at which several things happen in one step. */
  readonly joined: readonly (Joined & { readonly routine: string })[];
}

interface Routine {
  readonly oid: number;
  readonly name: string;
  readonly routine: string;
  readonly language: string;
  readonly volatility: "v" | "s" | "i";
  readonly parallel: "u" | "r" | "s";
  readonly source: string;
  /** Those of its arguments, as a list. */
  readonly defaults: string | null;
  readonly definition: string | null;
}

/**
 * Re-creates each PL/pgSQL function, procedure and trigger function of the schema under test with
 * gates in it; not those of extensions. Owners, privileges, comments, settings, oids and what
 * depends on them stay. The client must not be in a transaction, and must be of a superuser or the
 * owner of the routines. Gates that were there before are replaced.
 *
 * A routine that is not VOLATILE stays whole: all its queries see the snapshot of the statement that
 * calls it, so a pause between them shows nothing that a pause before that statement does not. A
 * gated one becomes PARALLEL UNSAFE: a parallel worker is no session that could wait.
 *
 * @param schemas the schemas under test; all but the system's by default.
 * @throws HarnessError UNSUPPORTED when a routine cannot be re-created.
 */
export async function installRoutineGates(
  client: ClientBase,
  schemas?: readonly string[],
): Promise<RoutineGates> {
  await installGateFunction(client);
  await removeRoutineGates(client);
  const { rows: routines } = await client.query<Routine>(ROUTINES, [schemas]);
  const { gated, whole } = await instrumentAll(routines, await touchingNames(client, routines));
  await inTransaction(client, async () => {
    await client.query(PLAIN_TABLE);
    for (const [routine, { source, places }] of gated) {
      if (places.length > 0) await replace(client, routine, source);
    }
  });
  const of = <T>(routine: Routine, items: readonly T[]) =>
    items.map((item) => ({ ...item, routine: routine.routine }));
  return {
    places: [...gated].flatMap(([routine, { places }]) => of(routine, places)),
    whole: [...whole].map(([{ routine }, reason]) => ({ routine, reason })),
    joined: [...gated].flatMap(([routine, { joined }]) => of(routine, joined)),
  };
}

/** Gives the routines their plain sources again, those that nobody else has changed since. */
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
       case lanname when 'plpgsql' then pg_get_functiondef(p.oid) end as definition
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

/** The plain definitions of gated routines. */
const PLAIN_TABLE = "create table heddle.plain (oid oid, gated text, definition text)";

type Gated = Extract<Instrumented, { readonly gated: true }>;

/**
 * A statement that only calls a gated routine needs no gate of its own, unless for defaults of its
 * arguments. So whether a routine is gated matters to its callers: all is done again until no other
 * routine turns out to stay whole.
 */
async function instrumentAll(routines: readonly Routine[], touching: TouchingNames) {
  await loadModule();
  const whole = new Map<Routine, string>();
  const names = new Set(touching);
  for (const routine of routines) {
    const reason = whyWhole(routine);
    if (reason === undefined) continue;
    whole.set(routine, reason);
    if (routine.volatility !== "i") names.add(routine.name);
  }
  for (;;) {
    const known = whole.size + names.size;
    const gated = new Map<Routine, Gated>();
    let first = 1;
    for (const routine of routines.filter((it) => !whole.has(it))) {
      const result = await instrument(partsOf(routine), first, names);
      if (result.gated) {
        gated.set(routine, result);
        first += result.places.length;
      } else whole.set(routine, result.reason);
      if (!result.gated || result.joined.length > 0) names.add(routine.name);
    }
    // Defaults are evaluated by the caller, before the routine's first gate.
    for (const { name, defaults } of routines) {
      if (defaults !== null && touchOf(defaults, EXPRESSION, names).touches) names.add(name);
    }
    if (whole.size + names.size === known) return { gated, whole };
  }
}

function whyWhole({ language, volatility }: Routine): string | undefined {
  if (language !== "plpgsql") return `it is written in ${language === "sql" ? "SQL" : language}`;
  if (volatility === "v") return undefined;
  return `it is ${volatility === "s" ? "STABLE" : "IMMUTABLE"}: all it reads is as of the statement that calls it`;
}

function partsOf({ source, definition, routine }: Routine): Definition {
  return definitionOf(routine, definition ?? "", source);
}

/** Functions of the server that are volatile, and yet matter to nobody but their session. */
const HARMLESS = [
  ...["random", "random_normal", "setseed", "gen_random_uuid", "uuidv4", "uuidv7"],
  ...["clock_timestamp", "timeofday", "pg_sleep", "pg_sleep_for", "pg_sleep_until"],
  ...["set_config", "currval", "lastval"],
];

/** Those of the server, of extensions and of schemas that are not under test; but not our own. */
async function touchingNames(
  client: ClientBase,
  routines: readonly Routine[],
): Promise<TouchingNames> {
  const { rows } = await client.query<{ name: string }>(
    `select distinct proname as name from pg_proc
      where pronamespace <> 'heddle'::regnamespace
        and case pronamespace
              when 'pg_catalog'::regnamespace
                then provolatile = 'v' and proname <> all ($1::name[])
              else provolatile <> 'i' and oid <> all ($2::oid[])
            end`,
    [HARMLESS, routines.map(({ oid }) => oid)],
  );
  return new Set(rows.map(({ name }) => name));
}

async function replace(client: ClientBase, routine: Routine, source: string): Promise<void> {
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
