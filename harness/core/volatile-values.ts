import type { Json } from "./json.ts";

/** A value that differs in each execution of the same schedule, such as a generated UUID. */
export interface VolatileValue {
  /** What it looks like; it only chooses the name of the placeholder. */
  readonly kind: "uuid" | "time" | "number" | "text";
  /** The value in the recorded execution. */
  readonly value: string;
}

/** The text with placeholders for volatile values, such as `⟨uuid 1⟩`. */
export function placeholders(text: string, values: readonly VolatileValue[]): string {
  const names = new Map(values.map(({ kind, value }, at) => [value, `⟨${kind} ${at + 1}⟩`]));
  if (names.size === 0) return text;
  const whole = names.get(text);
  if (whole !== undefined) return whole;
  const named = tokensOf(text).map((token) => names.get(token) ?? token);
  // What is no single token, such as a text in Base64.
  return [...names].reduce(
    (all, [value, name]) => (value.length < UNIQUE ? all : all.replaceAll(value, name)),
    named.join(""),
  );
}

/** A JSON value with placeholders for volatile values, in texts and for numbers. */
export function renamed<T>(value: T, values: readonly VolatileValue[]): T {
  const rename = (item: Json): Json => {
    if (typeof item === "string") return placeholders(item, values);
    if (typeof item === "number") {
      const text = String(item);
      const name = placeholders(text, values);
      return name === text ? item : name;
    }
    if (Array.isArray(item)) return item.map(rename);
    if (!isObject(item)) return item;
    return Object.fromEntries(
      Object.entries(item).map(([field, member]) => [field, rename(member)]),
    );
  };
  return rename(plain(value)) as T;
}

/**
 * Replaces the placeholders in a text by their kinds.
 *
 * @param onIdentity is called with each placeholder that stands for one and the same value everywhere;
 * times and numbers may be equal by chance
 */
export function withoutPlaceholders(text: string, onIdentity: (name: string) => void): string {
  if (!text.includes("⟨")) return text;
  return text.replace(/⟨(uuid|time|number|text) \d+⟩/g, (name, kind: string) => {
    if (kind === "uuid" || kind === "text") onIdentity(name);
    return `⟨${kind}⟩`;
  });
}

/** The tokens around a token, in a text that consists of more than it. */
export interface Context {
  readonly before: readonly string[];
  readonly after: readonly string[];
}

const DATE = String.raw`\d{4}-\d{2}-\d{2}`;
const CLOCK = String.raw`\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?`;
const ZONE = String.raw` ?(?:Z|[+-]\d{2}(?::?\d{2})?)\b`;
const DAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)";
const MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)";
/** As JSON and Postgres, `Date.prototype.toString` and RFC 1123 write times. */
const TIMES = [
  `${DATE}(?:[T ]${CLOCK}(?:${ZONE})?)?`,
  String.raw`${DAY} ${MONTH} \d{2} \d{4} ${CLOCK} GMT[+-]\d{4}(?: \([^)]*\))?`,
  String.raw`${DAY}, \d{2} ${MONTH} \d{4} ${CLOCK} GMT`,
  String.raw`\d{2}:\d{2}:\d{2}(?:[.,]\d+)?`,
];
const UUIDS = "[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}";
const DURATIONS = String.raw`\d+(?:\.\d+)?(?:ms|µs|us)\b|\d+\.\d+s(?:econds)?\b`;
const NUMBERS = String.raw`\d+(?:\.\d+)?(?![\w-])`;
const WORDS = String.raw`\w(?:[\w-]*\w)?`;
const TOKEN = new RegExp([UUIDS, ...TIMES, DURATIONS, NUMBERS, WORDS, "[^]"].join("|"), "g");
const UUID = new RegExp(`^${UUIDS}$`);
const TIME = new RegExp(`^(?:${TIMES.join("|")})$`);
export const DURATION = new RegExp(`^(?:${DURATIONS})$`);
export const NUMBER = /^\d+(?:\.\d+)?$/;

const BARE_NUMBER = /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/;

/** Whether a text is a number as JSON writes it, and nothing else. */
export function isBareNumber(text: string): boolean {
  return BARE_NUMBER.test(text);
}

export function tokensOf(text: string): readonly string[] {
  return text.match(TOKEN) ?? [];
}

/** Coarser than tokens: what stands between white space and the punctuation of JSON. */
export function chunksOf(text: string): readonly string[] {
  return text.match(/[\s"'`,;(){}[\]]|[^\s"'`,;(){}[\]]+/g) ?? [];
}

export function isUuid(token: string): boolean {
  return UUID.test(token);
}

export function isTime(token: string): boolean {
  return TIME.test(token);
}

/** The text with what can be volatile by its looks left out, to sort rows by. */
export function shapeOf(text: string): string {
  return tokensOf(text)
    .map((token) => {
      if (isUuid(token) || isTime(token)) return "?";
      return token.length >= UNIQUE && /\d/.test(token) ? "?" : token;
    })
    .join("");
}

/** A text of so many characters does not occur twice by chance. */
export const UNIQUE = 8;
/** Amounts and counts have fewer digits; random numbers and times in seconds have as many. */
const LONG_NUMBER = 9;
/** A fraction with so many digits comes from a clock or from chance. */
const LONG_FRACTION = 6;

/** What a message calls a number that the server or the system assigns. */
const ASSIGNED = /\b(?:process|pid|backend|transaction|xid|relation|database|oid|port)\W*$/i;
const ADDRESS = /(?:localhost|\d|\]):$/;

export function isAccident(a: string, b: string, context: Context | undefined): boolean {
  const isLong = [a, b].every((number) => {
    const [whole = "", fraction = ""] = number.split(".");
    return whole.length >= LONG_NUMBER || fraction.length >= LONG_FRACTION;
  });
  if (isLong || context === undefined) return isLong;
  const before = context.before.slice(-4).join("");
  return ASSIGNED.test(before) || ADDRESS.test(before);
}

/** The word that follows, if only a space is between. */
export function unitOf({ after: [space, unit = ""] }: Context): string {
  return space === " " ? unit : "";
}

/** Whether two tokens differ as random texts do: in most characters, and not by a word. */
export function isRandom(a: string, b: string): boolean {
  let start = 0;
  while (start < a.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < Math.min(a.length, b.length) - start && a.at(-1 - end) === b.at(-1 - end)) end++;
  const parts = [a, b].map((text) => text.slice(start, text.length - end));
  const most = Math.min(...parts.map(({ length }) => length));
  const long = Math.min(a.length, b.length) >= 2 * UNIQUE;
  const isWord = (part: string) => /^[A-Za-z]?[a-z]*$|^[A-Z_-]*$|^[a-z_-]*$/.test(part);
  return (most >= 6 || (long && most >= 4)) && !parts.every(isWord);
}

/**
 * Texts are cut after a number of characters: where a value before was longer, less is left of the end.
 *
 * @param longer by how many characters the values of the first text were longer
 */
export function isCutElsewhere([a, b]: readonly [string, string], longer: number): boolean {
  if (longer === 0) return false;
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  return long.startsWith(short) && b.length - a.length === longer;
}

export function plain(value: unknown): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}

export function isScalar(value: Json): value is string | number | boolean {
  return typeof value === "string" || typeof value === "number";
}

export function isObject(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
