import { HarnessError } from "../core/error.ts";
import type { Campaign } from "../explorer/campaign.ts";

/** What stands in place of a value that a report must not show. */
const REDACTED = "[redacted]";

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

/** A campaign whose counterexamples show no value that must not be shown. Their replays diverge. */
export function redactedCampaign(campaign: Campaign, redaction: Redaction): Campaign {
  const counterexamples = campaign.counterexamples.map((counterexample) => {
    const { violations, scenario, trace, serial } = counterexample;
    const shown = redacted({ violations, scenario, trace, ...(serial && { serial }) }, redaction);
    return { ...counterexample, ...shown };
  });
  return { ...campaign, counterexamples };
}

/**
 * A copy of a value of JSON without what must not be shown: the members that are
 * named like a column; the parameters and literals of statements that name it; all of these values
 * wherever else they stand, as in messages; and what matches a pattern.
 */
function redacted<T>(value: T, { columns, patterns }: Redaction): T {
  if (columns.length === 0 && patterns.length === 0) return value;
  const sought = new Set<string>();
  const secret = (member: unknown): unknown => {
    collect(member, sought);
    return member === null ? null : REDACTED;
  };
  const named = mapJson(value, (key, member) => {
    if (columns.includes(key.toLowerCase())) return secret(member);
    return isStatement(member) && mentions(member.sql, columns)
      ? withoutValues(member, secret)
      : member;
  });
  const texts = [...sought].sort((one, other) => other.length - one.length);
  return mapJson(named, (_, member) => {
    if (typeof member !== "string") return member;
    const known = texts.reduce((text, secretText) => text.replaceAll(secretText, REDACTED), member);
    return patterns.reduce((text, pattern) => text.replace(pattern, REDACTED), known);
  }) as T;
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

/** A copy of a value of JSON; `replace` gets each member and gives the one to go on with. */
function mapJson(value: unknown, replace: (key: string, member: unknown) => unknown): unknown {
  const map = (key: string, member: unknown): unknown => {
    const replaced = replace(key, member);
    if (Array.isArray(replaced)) return replaced.map((item) => map("", item));
    if (typeof replaced !== "object" || replaced === null) return replaced;
    return Object.fromEntries(
      Object.entries(replaced).map(([name, inner]) => [name, map(name, inner)]),
    );
  };
  return map("", value);
}
