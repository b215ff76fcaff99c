/** As many as the texts of a large schema. */
const MOST = 300;

/**
 * The same function of a text, which knows what it gave: what is installed in one database after
 * the other is nearly the same each time. What it gives is shared, and must not be changed.
 */
export function memoize<T extends object>(of: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    const value = of(text);
    if (known.size === MOST) known.clear();
    known.set(text, value);
    return value;
  };
}
