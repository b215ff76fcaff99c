import type { ClientBase } from "pg";
import { definitionOf } from "../parser/plpgsql.ts";
import { loadParser } from "../parser/sql.ts";
import { editsOf, type FoundEdit } from "./edits.ts";
import type { Source } from "./source-tree.ts";

/** A part of a schema that could not be mutated, and why. */
export interface Unmutated {
  readonly object: string;
  readonly reason: string;
}

/** A routine of the application, and the edits that mutate its source. */
export interface SourceRoutine {
  /** Its signature, or its name alone if no other routine has that name. */
  readonly name: string;
  /** Its name with the types of its arguments, as `regprocedure` prints it. */
  readonly signature: string;
  readonly source: Source;
  readonly edits: readonly FoundEdit[];
}

interface Row {
  readonly name: string;
  readonly signature: string;
  readonly language: string;
  readonly source: string | null;
  readonly definition: string;
}

const ROUTINES = `
select case when count(*) over (partition by proname) = 1 then p.oid::regproc::text
            else p.oid::regprocedure::text end as name,
       p.oid::regprocedure::text as signature,
       lanname as language, case when prosqlbody is null then prosrc end as source,
       pg_get_functiondef(p.oid) as definition
  from pg_proc p
  join pg_namespace n on n.oid = pronamespace
  join pg_language l on l.oid = prolang
 where prokind in ('f', 'p')
   and nspname !~ '^(pg_.*|information_schema|heddle)$'
   and not exists (select from pg_depend
                    where classid = 'pg_proc'::regclass and objid = p.oid and deptype = 'e')
 order by nspname collate "C", proname collate "C",
          pg_get_function_identity_arguments(p.oid) collate "C"`;

/** The routines of a schema, and those of them that could not be mutated, or only in part. */
export async function readRoutines(client: ClientBase): Promise<{
  readonly routines: readonly SourceRoutine[];
  readonly unmutated: readonly Unmutated[];
}> {
  await loadParser();
  const { rows } = await client.query<Row>(ROUTINES);
  const routines: SourceRoutine[] = [];
  const unmutated: Unmutated[] = [];
  for (const row of rows) {
    const read = readRoutine(row);
    if (typeof read === "string") unmutated.push({ object: row.name, reason: read });
    else {
      routines.push(read);
      if (read.missed > 0) {
        const reason = `${read.missed} of its changes could not be found in its text`;
        unmutated.push({ object: row.name, reason });
      }
    }
  }
  return { routines, unmutated };
}

function readRoutine(row: Row): (SourceRoutine & { readonly missed: number }) | string {
  const { name, signature, language, definition } = row;
  if (language !== "plpgsql" && language !== "sql") return `it is written in ${language}`;
  if (row.source === null) return "its body was parsed when it was created (BEGIN ATOMIC, RETURN)";
  try {
    const source = { language, ...definitionOf(name, definition, row.source) } as const;
    const { found, missed } = editsOf(source);
    return { name, signature, source, edits: found, missed };
  } catch (error) {
    return `its source could not be read: ${(error as Error).message}`;
  }
}
