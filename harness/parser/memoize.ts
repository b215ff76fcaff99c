/** Enough for the texts of a large schema. */
const MAX_ENTRIES = 300;

/**
 * Memoizes a function of a text. Databases under test have nearly the same schema, so each of their
 * texts needs to be parsed only once. After 300 different texts the cache starts afresh. Callers
 * share the results and must not change them.
 */
export function memoize<T extends object>(compute: (text: string) => T): (text: string) => T {
  const cache = new Map<string, T>();
  return (text) => {
    const cached = cache.get(text);
    if (cached !== undefined) return cached;
    const value = compute(text);
    if (cache.size === MAX_ENTRIES) cache.clear();
    cache.set(text, value);
    return value;
  };
}
