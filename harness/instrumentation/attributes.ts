/**
 * Names that a node of libpg-query's tree may call in attribute notation: `o.total` is `total(o)`
 * where the row `o` has no such column.
 */
export function attributesIn(key: string, node: unknown): readonly string[] {
  const { fields, indirection } = Object(node) as { [list: string]: readonly Part[] | undefined };
  // A name by itself is a column or a row.
  const parts = key === "ColumnRef" ? fields?.slice(1) : undefined;
  const all = key === "A_Indirection" ? indirection : parts;
  return (all ?? []).flatMap(({ String: name }) => name?.sval ?? []);
}

interface Part {
  readonly String?: { readonly sval?: string };
}
