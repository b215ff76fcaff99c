/*
 * What a statement reads and writes, as far as its text shows it.
 */
import type { Statement } from "../core/trace.ts";

/** An access of a statement to a table. */
export interface Access {
  readonly kind: "read" | "insert" | "change";
  /** Whether it is a read that locks its rows, so that no other transaction changes them. */
  readonly locks: boolean;
  readonly table: string;
  /** The columns that an UPDATE sets; undefined: all, or unknown. */
  readonly columns?: readonly string[];
  /** Of these, the columns whose new value depends on their current one, as in `set n = n - 1`. */
  readonly adjusted?: readonly string[];
  /**
   * The values of columns: those that an INSERT sets in its first row (a column without a name has its
   * position), or that a read compares with. Undefined: the text does not show all of them.
   */
  readonly row?: ReadonlyMap<string, string>;
  /** When it reads, or when its write commits: a position in the trace. */
  readonly at: number;
  /** The number of the transaction within its task. */
  readonly transaction: number;
}

/**
 * The accesses that the text of a statement names. A read without a lock sees the rows at its
 * release; a read with a lock sees them when it has the lock.
 */
export function accessesOf(
  statement: Statement,
  released: number,
  ended: number,
): Omit<Access, "transaction">[] {
  const { sql } = statement;
  const tables = (pattern: RegExp) => [...sql.matchAll(pattern)].map(([, table = ""]) => table);
  const locks = /\bfor\s+(no\s+key\s+)?(update|(key\s+)?share)\b/i.test(sql);
  const write = (kind: Access["kind"]) => (table: string) => ({
    ...{ kind, locks: false, table, at: ended },
  });
  const target = "(?:only\\s+)?(?:public\\.)?([a-z_]\\w*)";
  const columns = setColumns(sql);
  return [
    ...tables(new RegExp(`(?<!delete\\s+)\\b(?:from|join)\\s+${target}\\b(?!\\s*\\()`, "gi")).map(
      (table) => ({
        ...{ kind: "read" as const, locks, table, at: locks ? ended : released },
        row: comparedValues(statement),
      }),
    ),
    ...tables(new RegExp(`\\binsert\\s+into\\s+${target}`, "gi")).map((table) => {
      const row = insertedRow(statement);
      return { ...write("insert")(table), ...(row && { row }) };
    }),
    ...tables(new RegExp(`(?<!for\\s+|key\\s+|do\\s+)\\bupdate\\s+${target}`, "gi")).map(
      (table) => ({ ...write("change")(table), ...columns }),
    ),
    ...tables(new RegExp(`\\bdelete\\s+from\\s+${target}`, "gi")).map(write("change")),
  ];
}

const LITERAL = String.raw`(?:\$\d+|-?\d+(?:\.\d+)?|'(?:[^']|'')*')`;

/** The value of a literal or a parameter as text, without its type. */
function valueIn(text: string, values: Statement["values"]): string {
  const parameter = /^\$(\d+)$/.exec(text)?.[1];
  if (parameter !== undefined) return values[Number(parameter) - 1] ?? "null";
  return text.startsWith("'") ? text.slice(1, -1).replaceAll("''", "'") : text;
}

/** The columns that a statement compares with a value, and the values. */
function comparedValues({ sql, values }: Statement): ReadonlyMap<string, string> {
  const equality = new RegExp(String.raw`\b"?([a-z_]\w*)"?\s*=\s*(${LITERAL})`, "gi");
  const where = /\bwhere\b([\s\S]*)/i.exec(sql)?.[1] ?? "";
  return new Map(
    [...where.matchAll(equality)].map(([, column = "", value = ""]) => [
      column.toLowerCase(),
      valueIn(value, values),
    ]),
  );
}

/** The first row that an INSERT writes; undefined unless all of its values are literals. */
function insertedRow({ sql, values }: Statement): ReadonlyMap<string, string> | undefined {
  const literals = String.raw`${LITERAL}(?:::\w+)?(?:\s*,\s*${LITERAL}(?:::\w+)?)*`;
  const insert = new RegExp(
    String.raw`\binsert\s+into\s+[\w."]+\s*(?:\(([^)]*)\))?\s*values\s*\(\s*(${literals})\s*\)`,
    "i",
  );
  const [, columns = "", row] = insert.exec(sql) ?? [];
  if (row === undefined) return undefined;
  const names = columns.split(",").map((name) => name.trim().replaceAll('"', "").toLowerCase());
  return new Map(
    [...row.matchAll(new RegExp(LITERAL, "g"))].map(([literal], at) => [
      names[at] || String(at),
      valueIn(literal, values),
    ]),
  );
}

/** The columns that the only SET of a statement names; undefined if the text does not show them. */
function setColumns(sql: string): Pick<Access, "columns" | "adjusted"> | undefined {
  const sets = [...sql.matchAll(/\bset\s+([\s\S]*?)(?=\b(?:where|from|returning)\b|;|$)/gi)];
  const [, list = ""] = sets[0] ?? [];
  if (sets.length !== 1 || /^\s*\(/.test(list)) return undefined;
  const assignment = /(?:^|,)\s*"?([a-z_]\w*)"?\s*=([\s\S]*?)(?=,\s*"?[a-z_]\w*"?\s*=|$)/gi;
  const assignments = [...list.matchAll(assignment)].map(([, column = "", value = ""]) => ({
    column,
    value,
  }));
  return {
    columns: assignments.map(({ column }) => column),
    adjusted: assignments.flatMap(({ column, value }) => (mentions(value, column) ? column : [])),
  };
}

function mentions(expression: string, column: string): boolean {
  const code = expression.replaceAll(/'(?:[^']|'')*'/g, "");
  return new RegExp(`\\b${column}\\b(?!\\s*\\()`, "i").test(code);
}
