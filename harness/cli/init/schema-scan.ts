import type { CatalogColumn, CatalogTable, SchemaCatalog } from "../../service/sources/catalog.ts";

const TABLE = /\bcreate\s+table\s+(?:if\s+not\s+exists\s+)?(?:"?(\w+)"?\.)?"?(\w+)"?\s*\(/gi;

/** Tables of Knex, Kysely, node-pg-migrate (`createTable`) and Drizzle (`pgTable`), by their names. */
const BUILT = /\b(?:createTable|createTableIfNotExists|pgTable)\(\s*["'`](\w+)["'`]/g;

/** How far the key of such a table is looked for. */
const BUILDER = 300;

/** Of their columns the key alone is guessed. */
function builtTables(text: string): readonly CatalogTable[] {
  return [...text.matchAll(BUILT)].flatMap((match): CatalogTable[] => {
    const [head, name = ""] = match;
    const columns = text.slice(match.index + head.length).slice(0, BUILDER);
    const key = /\bincrements\(\)|["'`]id["'`]|\bid\s*:/.exec(columns);
    if (key === null) return [];
    const type = /uuid/i.test(columns.slice(Math.max(0, key.index - 20), key.index + 60))
      ? "uuid"
      : "integer";
    const id = { name: "id", type, key: true, primary: true, refers: null, checks: [] };
    return [{ schema: "public", name, visible: true, columns: [id] }];
  });
}

/**
 * The tables that SQL or a builder of schemas creates, as far as their names and types show without executing it: enough to guess what
 * an argument refers to.
 */
export function catalogOf(sql: string): SchemaCatalog {
  const text = sql.replaceAll(/--[^\n]*/g, "").replaceAll(/\/\*[\s\S]*?\*\//g, "");
  const tables = [...text.matchAll(TABLE)].map((match): CatalogTable => {
    const [head, schema = "public", name = ""] = match;
    const parts = partsOf(text.slice(match.index + head.length));
    const keys = parts.flatMap((part) => keyIn(part) ?? []);
    const columns = parts.flatMap((part) => columnIn(part) ?? []);
    return {
      ...{ schema, name, visible: schema === "public" },
      columns: columns.map((column) =>
        keys.includes(column.name) ? { ...column, key: true, primary: true } : column,
      ),
    };
  });
  return { tables: [...tables, ...builtTables(text)], functions: [], enums: {} };
}

/** The parts between the commas until the parenthesis that closes, without what is in inner parentheses. */
function partsOf(text: string): readonly string[] {
  const parts = [""];
  let depth = 0;
  for (const character of text) {
    if (character === ")" && depth === 0) break;
    if (character === "(") depth++;
    if (character === ")") depth--;
    if (character === "," && depth === 0) parts.push("");
    else parts[parts.length - 1] += character;
  }
  return parts.map((part) => part.trim());
}

const NO_COLUMN = /^(?:constraint|primary|unique|foreign|check|exclude|like)\b/i;

/** The column of a constraint `primary key (id)`. */
function keyIn(part: string): string | undefined {
  return /^(?:constraint\s+\S+\s+)?primary\s+key\s*\(\s*"?(\w+)"?\s*\)/i.exec(part)?.[1];
}

function columnIn(part: string): CatalogColumn | undefined {
  const [, name, type] = /^"?(\w+)"?\s+(\w+(?:\s+(?:varying|precision))?)/.exec(part) ?? [];
  if (NO_COLUMN.test(part) || name === undefined || type === undefined) return undefined;
  const primary = /\bprimary\s+key\b/i.test(part);
  const [, table, column = "id"] =
    /\breferences\s+(?:"?\w+"?\.)?"?(\w+)"?(?:\s*\(\s*"?(\w+)"?\s*\))?/i.exec(part) ?? [];
  return {
    ...{ name, type: typeNamed(type.toLowerCase()), primary },
    key: primary || /\bunique\b/i.test(part),
    refers: table === undefined ? null : `${table}.${column}`,
    checks: [],
  };
}

const TYPES: { readonly [written: string]: string } = {
  int: "integer",
  int4: "integer",
  serial: "integer",
  int8: "bigint",
  bigserial: "bigint",
  bool: "boolean",
  varchar: "character varying",
  char: "character",
  decimal: "numeric",
};

function typeNamed(type: string): string {
  return TYPES[type] ?? type;
}
