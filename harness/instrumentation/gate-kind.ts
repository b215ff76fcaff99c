import type { ClientBase } from "pg";
import type { GateName } from "../core/control.ts";
import type { Place } from "../core/trace.ts";

/**
 * A kind of gate inside the server. To add one, write a file with its installation and removal, and
 * add it to the list in inner-gates.ts; its name must be a `GateName`.
 *
 * A gate stops a backend by calling `heddle.gate(number)` (gate-function.ts), or on the wire. It must
 * not change any outcome: with its gate open, a statement has the effects that it has without the gate.
 */
export interface GateKind {
  /** The value of `--gates` that installs this kind. */
  readonly name: Exclude<GateName, "statement">;
  /**
   * Installs the gates in a migrated, disposable database. The gate function already exists. The
   * gates are numbered consecutively from `first`, in the same order for the same schema. The
   * client must be a superuser or the owner of the schema's objects. `names` are those of all kinds that are on.
   */
  install(client: ClientBase, first: number, gates?: readonly GateName[]): Promise<InstalledGates>;
  /** Restores the schema objects as they were before `install`. */
  remove(client: ClientBase): Promise<void>;
}

/** What a kind installed, and what it could not instrument. */
export interface InstalledGates {
  /** In the order of the gates' numbers. */
  readonly places: readonly Place[];
  readonly uninstrumented?: readonly UninstrumentedRoutine[];
  /** What these gates leave uncontrolled on this server, as sentences of a report. */
  readonly uncontrolled?: readonly string[];
  /** The gates of this kind at which the proxy holds a request. */
  readonly wire?: WireGates;
}

/** Gates in the middle of a request: the proxy sends it in parts. */
export interface WireGates {
  /** In DO blocks: the text of a message with gates in its blocks, or the text itself. */
  readonly blocks?: { readonly place: number; gated(sql: string): string };
  /** Between the snapshot of a SELECT and its first row, for the texts that `holds` selects. */
  readonly snapshot?: {
    readonly place: number;
    /** The last of the places after a snapshot; those of tables follow that of SELECT. */
    readonly last: number;
    holds(sql: string): boolean;
  };
  /** The places before a row is written. They are triggers. */
  readonly written?: { readonly place: number; readonly last: number };
  /** Before the Sync that commits a request outside of a transaction block. */
  readonly commit?: {
    readonly place: number;
    /** Whether the default isolation level of some sessions is SERIALIZABLE. */
    readonly serializable: boolean;
    /**
     * Whether it matters when a request with this text commits that has written nothing.
     *
     * @param single whether the text must be a single statement
     */
    holds(sql: string, of: { readonly serializable: boolean; readonly single: boolean }): boolean;
  };
  /** Between the statements of one message. */
  readonly message?: {
    readonly place: number;
    /** The statements of a simple query, or undefined where it has to stay whole. */
    split(sql: string, inBlock: boolean): readonly string[] | undefined;
  };
  /** Between the tables of a LOCK TABLE. */
  readonly tables?: {
    readonly place: number;
    /** Statements that each lock one of the tables, in order and without the last; none for another text. */
    before(sql: string): readonly string[];
  };
  /** Between the rows of a query. */
  readonly rows?: {
    readonly place: number;
    /** The most rows that a text makes one after the other, with a lock for each. */
    most(sql: string): number;
  };
}

/** A routine that runs in one step although the gates inside routines are on. */
export interface UninstrumentedRoutine {
  /** As `regprocedure` prints it. */
  readonly routine: string;
  /** A clause such as `it is written in SQL`. */
  readonly reason: string;
}

/** The permanent tables of the schema under test, as `regclass` prints them, in alphabetical order. */
export async function tablesUnderTest(
  client: ClientBase,
  { partitions }: { readonly partitions: boolean },
): Promise<readonly string[]> {
  const { rows } = await client.query<{ table: string }>(TABLES, [partitions]);
  return rows.map(({ table }) => table);
}

const TABLES = `
select c.oid::regclass::text as table
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where c.relkind in ('r', 'p') and (not c.relispartition or $1) and c.relpersistence <> 't'
   and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'heddle', 'migrations')
   and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')
 order by 1`;
