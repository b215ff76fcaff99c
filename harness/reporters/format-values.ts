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

/**
 * Escapes what could mislead a reader or control a terminal: control characters, marks that change
 * the direction of writing, and lone surrogates. All other text stays as it is, emoji and
 * right-to-left scripts included.
 */
export function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu,
    (character) => SHORT_ESCAPES[character] ?? unicodeEscape(character),
  );
}

const SHORT_ESCAPES: { readonly [character: string]: string } = {
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

function unicodeEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
