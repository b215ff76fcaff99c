import type { ClientBase } from "pg";
import type { MutationKind } from "./mutation-points.ts";

/** A single change of a schema, derived from the schema itself. */
export interface DerivedMutant {
  /**
   * What is changed, in words: stable for as long as that part of the schema is, and unique.
   * Reviewed files name mutants by it.
   */
  readonly id: string;
  readonly kind: MutationKind;
  /** The constraint, index, trigger or routine. */
  readonly object: string;
  /** The routine whose source is changed, with its arguments' types; null for what is no routine. */
  readonly routine: string | null;
  /** Of a routine's source, from 1; null for what is no routine. */
  readonly line: number | null;
  /** The statement or definition that is changed, in one line; of one with others in it, its head. */
  readonly statement: string;
  /** The changed part, in one line, and what stands there instead; empty where it is gone. */
  readonly before: string;
  readonly after: string;
  /** Applies it to a database with the schema, as a script of SQL. */
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
 * What protects data without being a routine. Not null constraints are read from the columns, since
 * before 18 they are not among the constraints; those that a primary key or an identity asks for
 * cannot be dropped. What a partition or a child has from its parent goes with it.
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

/** The mutants of a schema that leave its routines' sources as they are. */
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
