import type { ClientBase } from "pg";
import type { MutationKind } from "./mutation-points.ts";

/** A change of a schema, derived from the schema itself. */
export interface DerivedMutant {
  /**
   * The kind, the object and the changed text. It is unique, and stays the same as long as that part
   * of the schema does: lists of reviewed survivors name mutants by it.
   */
  readonly id: string;
  readonly kind: MutationKind;
  /** The constraint, index, trigger or routine. */
  readonly object: string;
  /** The signature of the routine whose source is changed; null if the object is no routine. */
  readonly routine: string | null;
  /** The line of the routine's source, from 1; null if the object is no routine. */
  readonly line: number | null;
  /** The changed statement or definition, in one line; of a block, a loop or a branch only the head. */
  readonly statement: string;
  /** The changed part before and after, each in one line; `after` is empty for a deletion. */
  readonly before: string;
  readonly after: string;
  /** An SQL script that makes the change in a database with the schema. */
  readonly ddl: string;
}

interface Row {
  readonly kind: MutationKind;
  readonly object: string;
  readonly definition: string;
  readonly ddl: string;
}

const OURS = "nspname !~ '^(pg_.*|information_schema|heddle)$'";

const member = (catalog: string, oid: string): string =>
  `exists (select from pg_depend
            where classid = '${catalog}'::regclass and objid = ${oid} and deptype = 'e')`;

/**
 * Constraints, unique indexes, triggers and isolation levels of routines. NOT NULL constraints are
 * read from the columns: before PostgreSQL 18 they are not in pg_constraint. Those that a primary key
 * or an identity column implies cannot be dropped. An object that a partition or a child table
 * inherits is dropped with that of its parent.
 */
const OBJECTS = `
select 'drop-constraint' as kind,
       (case when contypid = 0 then conrelid::regclass::text else contypid::regtype::text end)
         || '.' || quote_ident(conname) as object,
       pg_get_constraintdef(c.oid) as definition,
       (case when contypid = 0 then format('alter table %s', conrelid::regclass)
             else format('alter domain %s', contypid::regtype) end)
         || format(' drop constraint %I', conname) as ddl
  from pg_constraint c join pg_namespace n on n.oid = connamespace
 where contype in ('c', 'f', 'p', 'u', 'x') and coninhcount = 0 and conparentid = 0
   and ${OURS} and not ${member("pg_class", "conrelid")}

union all

select 'drop-not-null', format('%s.%I', attrelid::regclass, attname), 'NOT NULL',
       format('alter table %s alter column %I drop not null', attrelid::regclass, attname)
  from pg_attribute a
  join pg_class c on c.oid = attrelid
  join pg_namespace n on n.oid = relnamespace
 where attnotnull and attnum > 0 and not attisdropped and attinhcount = 0 and attidentity = ''
   and relkind in ('r', 'p')
   and not exists (select from pg_index
                    where indrelid = attrelid and indisprimary and attnum = any (indkey))
   and ${OURS} and not ${member("pg_class", "attrelid")}

union all

select 'drop-index', indexrelid::regclass::text, pg_get_indexdef(indexrelid),
       format('drop index %s', indexrelid::regclass)
  from pg_index i
  join pg_class c on c.oid = indexrelid
  join pg_namespace n on n.oid = relnamespace
 where indisunique and not relispartition
   and not exists (select from pg_constraint where conindid = indexrelid and contype in ('p', 'u', 'x'))
   and ${OURS} and not ${member("pg_class", "indrelid")}

union all

select 'drop-trigger', format('%s.%I', tgrelid::regclass, tgname), pg_get_triggerdef(t.oid),
       format('drop trigger %I on %s', tgname, tgrelid::regclass)
  from pg_trigger t
  join pg_class c on c.oid = tgrelid
  join pg_namespace n on n.oid = relnamespace
 where not tgisinternal and tgparentid = 0 and ${OURS} and not ${member("pg_class", "tgrelid")}

union all

select 'weaken-isolation', p.oid::regprocedure::text, setting,
       format('alter routine %s set default_transaction_isolation = %L', p.oid::regprocedure,
              case setting when 'default_transaction_isolation=serializable' then 'repeatable read'
                           else 'read committed' end)
  from pg_proc p join pg_namespace n on n.oid = pronamespace, unnest(proconfig) setting
 where setting in ('default_transaction_isolation=serializable',
                   'default_transaction_isolation=repeatable read')
   and ${OURS} and not ${member("pg_proc", "p.oid")}

order by kind, object`;

/** The mutants of a schema that change no routine's source. */
export async function objectMutants(client: ClientBase): Promise<readonly DerivedMutant[]> {
  const { rows } = await client.query<Row>(OBJECTS);
  return rows.map(({ kind, object, definition, ddl }) => ({
    id: `${kind} ${object}`,
    kind,
    object,
    routine: null,
    line: null,
    statement: definition,
    before: definition,
    after: "",
    ddl,
  }));
}
