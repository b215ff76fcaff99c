/**
 * Text that is safe to show anywhere: control characters (which a terminal would obey), marks that
 * turn the direction of writing (which would show a row as something else than it is) and lone
 * surrogates become visible escapes. Everything else, emoji and right-to-left letters included,
 * stays.
 */
export function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu,
    (character) => NAMED[character] ?? escaped(character),
  );
}

const NAMED: { readonly [character: string]: string } = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
