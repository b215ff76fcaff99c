import { HarnessError } from "../core/error.ts";

/** What stands in place of a value that a report must not show. */
export const REDACTED = "[redacted]";

/** Shorter values, such as ids, are not looked for in other texts: they would be everywhere. */
const MIN_SOUGHT = 4;

/** The values that reports leave out: those of columns, and what matches a pattern. */
export interface Redaction {
  readonly columns: readonly string[];
  readonly patterns: readonly RegExp[];
}

/**
 * @param rules names of columns, in any case; or patterns between slashes, such as `/\d{16}/`
 * @throws HarnessError `USAGE` for a pattern that is no regular expression
 */
export function redactionOf(rules: readonly string[]): Redaction {
  const isPattern = (rule: string) => /^\/.+\/i?$/.test(rule);
  return {
    columns: rules.filter((rule) => !isPattern(rule)).map((rule) => rule.toLowerCase()),
    patterns: rules.filter(isPattern).map(patternOf),
  };
}

function patternOf(rule: string): RegExp {
  const end = rule.lastIndexOf("/");
  try {
    return new RegExp(rule.slice(1, end), `gu${rule.slice(end + 1)}`);
  } catch (cause) {
    throw new HarnessError("USAGE", `--redact ${rule} is no regular expression: ${String(cause)}`, {
      cause,
    });
  }
}

/** A value of JSON of the system under test, inside of a value whose other parts are Heddle's own. */
export class Data {
  readonly value: unknown;

  constructor(value: unknown) {
    this.value = value;
  }
}

/**
 * A copy of a value in which each `Data` is replaced by its value without what must not be shown: the
 * members that are named like a column; the parameters and literals of statements that name it; all of
 * these values wherever else they stand in any `Data`, as in messages; and what matches a pattern.
 */
export function redacted(value: unknown, { columns, patterns }: Redaction): unknown {
  const sought = new Set<string>();
  const secret = (member: unknown): unknown => {
    collect(member, sought);
    return member === null ? null : REDACTED;
  };
  const byName = (key: string, member: unknown): unknown => {
    if (columns.includes(key.toLowerCase())) return secret(member);
    const named = isStatement(member) && mentions(member.sql, columns);
    return named ? withoutValues(member, secret) : member;
  };
  const named = mapData(value, (data) => new Data(mapJson(data, byName)));
  const texts = [...sought].sort((one, other) => other.length - one.length);
  const byText = (_: string, member: unknown): unknown => {
    if (typeof member !== "string") return member;
    const known = texts.reduce((text, part) => text.replaceAll(part, REDACTED), member);
    return patterns.reduce((text, pattern) => text.replace(pattern, REDACTED), known);
  };
  return mapData(named, (data) => mapJson(data, byText));
}

/** A copy of a value in which `replace` gives what stands in place of each `Data`. */
function mapData(value: unknown, replace: (data: unknown) => unknown): unknown {
  if (value instanceof Data) return replace(value.value);
  if (Array.isArray(value)) return value.map((item) => mapData(item, replace));
  if (!(value instanceof Object)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, mapData(member, replace)]),
  );
}

interface StatementLike {
  readonly sql: string;
  readonly values: readonly unknown[];
}

function isStatement(value: unknown): value is StatementLike {
  return value instanceof Object && "sql" in value && "values" in value;
}

function mentions(sql: string, columns: readonly string[]): boolean {
  const words = new Set(sql.toLowerCase().match(/[\p{L}\p{N}_$]+/gu) ?? []);
  return columns.some((column) => words.has(column));
}

function withoutValues(
  statement: StatementLike,
  secret: (value: unknown) => unknown,
): StatementLike {
  return {
    ...statement,
    sql: statement.sql.replace(/'((?:[^']|'')*)'/g, (_, literal: string) => {
      secret(literal.replaceAll("''", "'"));
      return `'${REDACTED}'`;
    }),
    values: statement.values.map(secret),
  };
}

/** Adds the texts and numbers of a value that are long enough to be looked for. */
function collect(value: unknown, sought: Set<string>): void {
  if (typeof value === "string" || typeof value === "number") {
    const text = String(value);
    if (text.length < MIN_SOUGHT) return;
    sought.add(text);
    // As it stands in a text of JSON.
    sought.add(JSON.stringify(text).slice(1, -1));
  } else if (value instanceof Object) {
    for (const member of Object.values(value)) collect(member, sought);
  }
}

function statementWith(
  { sql, values, ...rest }: StatementLike,
  map: (key: string, member: unknown) => unknown,
): unknown {
  return { ...rest, sql: map("", sql), values: values.map((value) => map("", value)) };
}

/** A copy of a value of JSON; `replace` gets each member and gives the one to go on with. */
function mapJson(value: unknown, replace: (key: string, member: unknown) => unknown): unknown {
  const map = (key: string, member: unknown): unknown => {
    const replaced = replace(key, member);
    if (Array.isArray(replaced)) return replaced.map((item) => map("", item));
    if (typeof replaced !== "object" || replaced === null) return replaced;
    // Its members are Heddle's own.
    if (isStatement(replaced)) return statementWith(replaced, map);
    return Object.fromEntries(
      Object.entries(replaced).map(([name, inner]) => [name, map(name, inner)]),
    );
  };
  return map("", value);
}
