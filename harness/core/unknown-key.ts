/** What is wrong with a key that is none of the known ones, and which key is meant; undefined if all are known. */
export function unknownKey(
  given: { readonly [key: string]: unknown },
  known: readonly string[],
): string | undefined {
  const unknown = Object.keys(given).find((key) => !known.includes(key));
  if (unknown === undefined) return undefined;
  const meant = known.find((key) => isTypo(unknown, key));
  const question = meant === undefined ? "" : ` (did you mean \`${meant}\`?)`;
  const list = known.map((key) => `\`${key}\``).join(", ");
  return `\`${unknown}\` is unknown${question}; known: ${list}`;
}

/** The most edits of a typing error. */
const MAX_EDITS = 2;

/** Whether a text is a word, or the word with a typing error. */
export function isTypo(text: string, word: string): boolean {
  return (
    editDistance(text.toLowerCase(), word.toLowerCase()) <= Math.min(MAX_EDITS, word.length - 1)
  );
}

/** How many characters must be inserted, deleted or replaced (Levenshtein 1966). */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (const [row, character] of [...a].entries()) {
    const current = [row + 1];
    for (const [at, other] of [...b].entries()) {
      const [diagonal = 0, above = 0] = previous.slice(at);
      const left = current[at] ?? 0;
      current.push(Math.min(left + 1, above + 1, diagonal + (character === other ? 0 : 1)));
    }
    previous = current;
  }
  return previous.at(-1) ?? 0;
}
