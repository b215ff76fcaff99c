type Edge = readonly [number, number];

/** The ids of each cycle follow those of the previous one. */
export function cycles(...lengths: readonly number[]): readonly Edge[] {
  return lengths.flatMap((length, at) => {
    const first = lengths.slice(0, at).reduce((a, b) => a + b, 0);
    return Array.from({ length }, (_, i): Edge => [first + i, first + ((i + 1) % length)]);
  });
}

/** The pairs of `count` people that are not among `edges`. */
export function strangers(count: number, edges: readonly Edge[]): readonly Edge[] {
  const known = new Set(edges.flatMap(([a, b]) => [`${a} ${b}`, `${b} ${a}`]));
  const all = Array.from(
    { length: count * count },
    (_, i): Edge => [Math.floor(i / count), i % count],
  );
  return all.filter(([a, b]) => a < b && !known.has(`${a} ${b}`));
}

/** A table with each pair in both directions. */
export function friendTable(edges: readonly Edge[]) {
  const back = edges.map(([a, b]): Edge => [b, a]);
  return { friends: [...edges, ...back].map(([a, b]) => ({ a, b })) };
}
