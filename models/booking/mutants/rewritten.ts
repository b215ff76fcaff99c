/** A text of a routine's source, and what stands there instead. */
type Hunk = readonly [original: string, replacement: string];

/**
 * SQL that changes a PL/pgSQL function of the schema in just these places. It fails unless the
 * function as it is has each original exactly once: a seeded bug must not outlive what it bends.
 */
export function rewritten(routine: string, ...hunks: readonly Hunk[]): string {
  const replacements = hunks.map(
    ([original, replacement]) => `
      original := $text$${original}$text$;
      if cardinality(string_to_array(source, original)) <> 2 then
        raise exception '${routine} does not have exactly once: %', original;
      end if;
      source := replace(source, original, $text$${replacement}$text$);`,
  );
  return `
    do $do$
    declare
      source   text := pg_get_functiondef('${routine}'::regproc);
      original text;
    begin
      ${replacements.join("")}
      execute source;
    end
    $do$;`;
}
