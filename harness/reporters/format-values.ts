/*
 * Single values as text: numbers, durations, dates, lists of names, and text from untrusted sources.
 */

const decimal = new Intl.NumberFormat("en-US", { maximumFractionDigits: 1 });

/** `12,345`, `0.5`: the same in every locale. */
export function formatNumber(value: number): string {
  return decimal.format(value);
}

/** `1 execution`, `2 executions`. */
export function quantity(count: number, noun: string): string {
  return `${formatNumber(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** `12.5 %`, `40.0 %`. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

/** `0.4 s`, `1 min 20 s`. */
export function duration(ms: number): string {
  if (ms < 60_000) return `${formatNumber(ms / 1000)} s`;
  const seconds = Math.round(ms / 1000);
  return `${formatNumber(Math.floor(seconds / 60))} min ${seconds % 60} s`;
}

/** `2026-05-04 10:20 UTC`, from a date in the form of `Date.toISOString`. */
export function dateAndMinute(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`;
}

const MAX_LISTED = 6;

/** The first six names: `a, b, c`, or `a, b, c, d, e, f, 12 more`. */
export function shortList(names: readonly string[]): string {
  const omitted = names.length - MAX_LISTED;
  const more = omitted > 0 ? [`${formatNumber(omitted)} more`] : [];
  return [...names.slice(0, MAX_LISTED), ...more].join(", ");
}

/** `Client 0`, from `client 0`. */
export function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The longest text of a value in a report, in characters. */
const MAX_TEXT = 2_000;

/**
 * Escapes what could mislead a reader or control a terminal: control characters, marks that change
 * the direction of writing, and lone surrogates. All other text stays as it is, emoji and
 * right-to-left scripts included. Cuts longer text than `limit`; replay files have all of it.
 */
export function printable(text: string, limit = MAX_TEXT): string {
  return shortened(text, limit).replace(
    UNPRINTABLE,
    (character) => SHORT_ESCAPES[character] ?? unicodeEscape(character),
  );
}

/** The first characters of a text, at most `length`, without the half of a pair of surrogates at the end. */
export function beginning(text: string, length: number): string {
  return text.slice(0, length).replace(/[\ud800-\udbff]$/, "");
}

/** Cuts a text that is longer than `limit`, and says by how much. */
export function shortened(text: string, limit = MAX_TEXT): string {
  const more = text.length - limit;
  return more > 0 ? `${beginning(text, limit)}… (${formatNumber(more)} more characters)` : text;
}

/** Cuts the texts of a value of JSON. A replay file has all of them. */
export function withShortTexts<T extends object>(value: T): T {
  return JSON.parse(JSON.stringify(value), (_, member: unknown) =>
    typeof member === "string" ? shortened(member) : member,
  ) as T;
}

const UNPRINTABLE =
  /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u206f\ufeff\ufff9-\ufffb]/gu;

const SHORT_ESCAPES: { readonly [character: string]: string } = {
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

function unicodeEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** What follows an ESC in a colour, and in what redraws a line of progress. */
const TERMINAL_CONTROL = /^\[(?:[\d;]{0,16}m|2?K)/;

/** The last character of what begins a command of a CI system: `::`, `##[`, `##vso[`, `##teamcity[`. */
const COMMAND = /(?<=^[^\S\n]*:):|(?<=##\w{0,20})\[/gm;

/** The number of characters of an unfinished line that decide how it goes on. */
const CONTEXT = 200;

/**
 * Passes a stream of text so that it controls neither a terminal nor a CI system: escapes control
 * characters, marks that change the direction of writing, and what begins a workflow command. The
 * escapes are those of JSON, so that JSON keeps its meaning.
 */
export class OutputGuard {
  readonly #terminal: boolean;
  /** The end of the line that is not finished yet. */
  #line = "";

  /** @param terminal whether the stream is a terminal, which shows colours */
  constructor(terminal: boolean) {
    this.#terminal = terminal;
  }

  pass(text: string): string {
    const escaped = this.#line + this.#escapeCharacters(text);
    const safe = escaped.replace(COMMAND, unicodeEscape);
    const line = safe.slice(safe.lastIndexOf("\n") + 1);
    const passed = safe.slice(this.#line.length);
    this.#line = line.length > CONTEXT ? `…${line.slice(-CONTEXT)}` : line;
    return passed;
  }

  #escapeCharacters(text: string): string {
    return text.replace(UNPRINTABLE, (character, at: number) => {
      if (character === "\n" || character === "\t") return character;
      if (!this.#terminal) return unicodeEscape(character);
      const follows = text.slice(at + 1, at + 20);
      const allowed =
        character === "\r" || (character === "\u001b" && TERMINAL_CONTROL.test(follows));
      return allowed ? character : unicodeEscape(character);
    });
  }
}

/** Text without the passwords of connection strings and URLs, however they are written. */
export function withoutPasswords(text: string): string {
  return text
    .replace(/\b([a-z][\w+.-]*:\/*[^\s:@/?#]*):\S*@/gi, "$1:…@")
    .replace(/\b([a-z][\w+.-]*:\/\/[^\s:@/?#]*):[^@\n…]*@/gi, "$1:…@")
    .replace(/(?<![\w/.])([\w.%+-]+):[^\s:@/]+@(?=[\w[])/g, "$1:…@")
    .replace(/\b((?:ssl)?password|passwd|pwd)(\s*=\s*)('(?:[^'\\]|\\.)*'|[^\s&;"']+)/gi, "$1$2…");
}
