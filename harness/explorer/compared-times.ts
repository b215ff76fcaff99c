import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import { rowsOf, withClient } from "../postgres/connection.ts";
import type { Service } from "../service/service.ts";

/**
 * The names by which a query may come to a time: of columns with a type for times, spans, documents or ids, or with a
 * default that reads the clock; of views; and of routines.
 */
const NAMES = `
with application as (
  select oid from pg_namespace where nspname !~ '^(pg_.*|information_schema|heddle)$')
select attname as name
  from pg_attribute a join pg_class c on c.oid = attrelid join pg_type t on t.oid = atttypid
  left join pg_attrdef d on (adrelid, adnum) = (attrelid, attnum)
 where relnamespace in (select oid from application) and attnum > 0 and relkind <> 'i'
   and (typcategory in ('D', 'T', 'R', 'U', 'A', 'C')
     or pg_get_expr(adbin, adrelid) ~* 'now\\(|_timestamp|current_|localtime|timeofday')
union select relname from pg_class where relkind in ('v', 'm') and relnamespace in (select oid from application)
union select proname from pg_proc where pronamespace in (select oid from application)`;

/**
 * Whether a rule of a service may compare times of the clock. Serial equivalence, and that no request fails, compare
 * none; a query may if it has a name by which it comes to one, or joins by all columns. What functions and models
 * compare is not known. A column of numbers or texts into which a statement puts a time is not recognized.
 */
export async function comparesTimes<State extends Json, Op extends Operation>(
  directUrl: string,
  { invariants, queries = [], model }: Service<State, Op>,
): Promise<boolean> {
  const texts = [...invariants, ...queries].map(({ sql }) => sql);
  if (model !== undefined || texts.includes(undefined)) return true;
  if (texts.length === 0) return false;
  const rows = await withClient(directUrl, (client) => rowsOf(client, NAMES));
  const names = new Set(rows.map(({ name }) => String(name).toLowerCase()));
  const words = texts.flatMap(
    (text) => text?.toLowerCase().match(/[\p{L}_][\p{L}\p{N}_$]*/gu) ?? [],
  );
  // Quoted names need not be words.
  const others = [...names].filter((name) => /[^\p{L}\p{N}_$]/u.test(name));
  return (
    words.some((word) => word === "natural" || names.has(word)) ||
    others.some((name) => texts.some((text) => text?.toLowerCase().includes(name)))
  );
}
