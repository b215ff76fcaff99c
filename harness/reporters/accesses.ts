/** A table that a statement reads or writes, and when it reads or commits: a position in the trace. */
export interface Access {
  readonly kind: "read" | "insert" | "change";
  /** Whether it is a read that locks its rows: nobody else changes these before it is over. */
  readonly locks: boolean;
  readonly table: string;
  /** Those that an UPDATE sets; undefined: all, or not known. */
  readonly columns?: readonly string[];
  readonly at: number;
  /** Counts the transactions of its task. */
  readonly transaction: number;
}

/**
 * What the text of a statement names. A read sees what there is when it is released; one that locks,
 * what is there when it has locked.
 */
export function accessesOf(
  sql: string,
  released: number,
  ended: number,
): Omit<Access, "transaction">[] {
  const named = (pattern: RegExp) => [...sql.matchAll(pattern)].map(([, table = ""]) => table);
  const locks = /\bfor\s+(no\s+key\s+)?(update|(key\s+)?share)\b/i.test(sql);
  const write = (kind: Access["kind"]) => (table: string) => ({
    ...{ kind, locks: false, table, at: ended },
  });
  const target = "(?:only\\s+)?(?:public\\.)?([a-z_]\\w*)";
  const columns = columnsSet(sql);
  return [
    ...named(new RegExp(`(?<!delete\\s+)\\b(?:from|join)\\s+${target}\\b(?!\\s*\\()`, "gi")).map(
      (table) => ({ kind: "read" as const, locks, table, at: locks ? ended : released }),
    ),
    ...named(new RegExp(`\\binsert\\s+into\\s+${target}`, "gi")).map(write("insert")),
    ...named(new RegExp(`(?<!for\\s+|key\\s+|do\\s+)\\bupdate\\s+${target}`, "gi")).map(
      (table) => ({
        ...write("change")(table),
        ...(columns && { columns }),
      }),
    ),
    ...named(new RegExp(`\\bdelete\\s+from\\s+${target}`, "gi")).map(write("change")),
  ];
}

/** The columns that the only SET of a statement names; undefined if that is not plain to see. */
function columnsSet(sql: string): readonly string[] | undefined {
  const sets = [...sql.matchAll(/\bset\s+([\s\S]*?)(?=\b(?:where|from|returning)\b|;|$)/gi)];
  const [, list = ""] = sets[0] ?? [];
  if (sets.length !== 1 || /^\s*\(/.test(list)) return undefined;
  return [...list.matchAll(/(?:^|,)\s*"?([a-z_]\w*)"?\s*=/gi)].map(([, name = ""]) => name);
}
