import { escapeIdentifier, escapeLiteral } from "pg";
import type { IdFields } from "../core/ids.ts";
import type { Json, JsonObject } from "../core/json.ts";
import type { ClientQuery } from "./scenario-definition.ts";

/** A column that holds ids which the database generates, or a foreign key to one. */
interface IdColumn {
  /** With its schema, quoted: `public.orders`. */
  readonly table: string;
  readonly column: string;
  /** The column that the id comes from: `orders.id`. */
  readonly kind: string;
  /** Whether it is that column itself. */
  readonly generated: boolean;
}

/** A default that takes a number of a sequence, or makes a UUID. */
const GENERATED = "nextval\\(|gen_random_uuid\\(|uuid_generate_v\\d|uuidv\\d\\(";

const COLUMNS = `
  with recursive columns as (
    select c.oid as relation, a.attnum as number
      from pg_class c
      join pg_namespace n on n.oid = c.relnamespace
      join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
     where c.relkind in ('r', 'p') and n.nspname !~ '^pg_'
       and n.nspname not in ('information_schema', 'heddle')
       and (a.attidentity <> '' or pg_get_expr(d.adbin, d.adrelid) ~ $1)
  ), keys as (
    select f.conrelid as relation, pair.number, f.confrelid as target, pair.target_number
      from pg_constraint f, unnest(f.conkey, f.confkey) as pair (number, target_number)
     where f.contype = 'f'
  ), ids as (
    select relation, number, relation as origin, number as origin_number from columns
    union
    select k.relation, k.number, ids.origin, ids.origin_number
      from keys k join ids on ids.relation = k.target and ids.number = k.target_number
  )
  select quote_ident(n.nspname) || '.' || quote_ident(c.relname) as "table", a.attname as "column",
         o.relname || '.' || b.attname as kind,
         (ids.relation, ids.number) = (ids.origin, ids.origin_number) as generated
    from ids
    join pg_class c on c.oid = ids.relation
    join pg_namespace n on n.oid = c.relnamespace
    join pg_attribute a on a.attrelid = ids.relation and a.attnum = ids.number
    join pg_class o on o.oid = ids.origin
    join pg_attribute b on b.attrelid = ids.origin and b.attnum = ids.origin_number
   order by ids.relation, ids.number, generated desc, kind`;

/** The columns with generated ids, as the catalog says: identities, defaults, and foreign keys to them. */
export async function idColumnsOf(query: ClientQuery): Promise<readonly IdColumn[]> {
  const rows = await query(COLUMNS, [GENERATED]);
  return rows as unknown as readonly IdColumn[];
}

/** The columns as fields of tables. */
export function idFieldsOf(columns: readonly IdColumn[]): IdFields {
  return columns.reduce<IdFields>(
    (fields, { table, column, kind }) => withField(fields, table, column, kind),
    {},
  );
}

/** The fields with one more; the first kind of a field counts. */
export function withField(fields: IdFields, of: string, field: string, kind: string): IdFields {
  if (fields[of]?.[field] !== undefined) return fields;
  return { ...fields, [of]: { ...fields[of], [field]: kind } };
}

/** The kind of the ids in a column such as `orders.id`: its own name, or that of the column it refers to. */
export function kindOfColumn(ids: IdFields, name: string): string {
  const [column = "", table = ""] = name.split(".").reverse();
  const [, fields] = Object.entries(ids).find(([of]) => of.split(".").at(-1) === table) ?? [];
  return fields?.[column] ?? `${table}.${column}`;
}

/** The generated ids that exist: the kind of each by its text. */
export async function existingIds(
  query: ClientQuery,
  columns: readonly IdColumn[],
): Promise<ReadonlyMap<string, string>> {
  const generated = columns.filter((column) => column.generated);
  if (generated.length === 0) return new Map();
  const rows = await query(
    generated
      .map(
        ({ table, column, kind }) =>
          `select ${escapeLiteral(kind)} as kind, ${escapeIdentifier(column)}::text as id from ${table}`,
      )
      .join(" union all "),
  );
  return new Map(rows.map(({ kind, id }) => [String(id), String(kind)]));
}

/** The ids in an answer, and the fields that they are in: each belongs to the operation or to a property. */
export function idsInAnswer(
  body: Json,
  operation: string,
  kindOf: (id: string) => string | undefined,
): readonly { readonly of: string; readonly field: string; readonly kind: string }[] {
  if (Array.isArray(body)) return body.flatMap((item) => idsInAnswer(item, operation, kindOf));
  if (typeof body !== "object" || body === null) return [];
  return Object.entries(body as JsonObject).flatMap(([field, value]) => {
    if (typeof value === "object") return idsInAnswer(value, field, kindOf);
    const kind = kindOf(String(value));
    return kind === undefined ? [] : [{ of: operation, field, kind }];
  });
}

/** How far apart the numbers of two sequences are in a profile: few other values are as great. */
const APART = 1_000_003;

/**
 * Moves all sequences, each to numbers that no other has, so that an id shows which column it is from.
 * A sequence whose type has no such numbers stays.
 */
export async function moveSequencesApart(query: ClientQuery): Promise<void> {
  await query(`
    do $$
    declare sequence record; place bigint := 0;
    begin
      for sequence in
        select c.oid::regclass as name, q.seqmax as most,
               coalesce(pg_sequence_last_value(c.oid), 0) as last
          from pg_class c join pg_sequence q on q.seqrelid = c.oid
          join pg_namespace n on n.oid = c.relnamespace
         where c.relpersistence <> 't' and n.nspname !~ '^pg_' and n.nspname <> 'heddle'
         order by c.oid
      loop
        place := place + 1;
        if sequence.last + place * ${APART} < sequence.most then
          perform setval(sequence.name, sequence.last + place * ${APART});
        end if;
      end loop;
    end $$`);
}
