/** The text of a row without its ids, and the ids in the order of their places. */
export interface Row {
  readonly shape: string;
  readonly ids: readonly string[];
}

/** Rows, and a colour for each of their ids: ids are paired only with ids of the same colour. */
interface Side {
  readonly rows: readonly Row[];
  readonly colours: ReadonlyMap<string, number>;
}

export type Sameness = "same" | "different" | "unknown";

/** The most rows that are compared while pairings of ids are tried. */
const MAX_ROWS = 10_000;

/** The colour of the two ids whose pairing is tried. All other colours are 0 or more. */
const TRIED = -1;

/**
 * Whether two lists of rows are equal, up to their order and to a bijection of their ids. `unknown` if
 * too many pairings would have to be tried.
 *
 * This is graph isomorphism by colour refinement and individualization (Weisfeiler and Leman 1968;
 * McKay, "Practical graph isomorphism", 1981): ids in different places get different colours until no
 * colour can be split. The rows that are connected by ids of shared colours then form components.
 * Isomorphic components are interchangeable, so the search never backtracks over them; only the
 * pairing of ids within a component is tried.
 */
export function isomorphic(left: Side, right: Side): Sameness {
  let rowsLeft = MAX_ROWS;

  function same(left: Side, right: Side): boolean {
    const refined = refine(left, right);
    if (refined === undefined) return false;
    const [mine, others] = [partsOf(refined[0]), partsOf(refined[1])];
    const [[part], [other]] = [mine, others];
    if (mine.length !== others.length) return false;
    if (part && other && mine.length === 1) return sameByTrying(part, other);
    const byText = new Map<string, Side[]>();
    for (const part of others) append(byText, textOf(part), part);
    return mine.every((part) => {
      const alike = byText.get(textOf(part)) ?? [];
      const at = alike.findIndex((other) => same(part, other));
      return at >= 0 && alike.splice(at, 1);
    });
  }

  function sameByTrying(left: Side, right: Side): boolean {
    const [id, colour] = rarest(left);
    return [...right.colours].some(([other, otherColour]) => {
      if (otherColour !== colour || rowsLeft < 0) return false;
      rowsLeft -= left.rows.length;
      return same(trying(left, id), trying(right, other));
    });
  }

  if (same(left, right)) return "same";
  return rowsLeft < 0 ? "unknown" : "different";
}

/**
 * Refines the colours of both sides until no colour can be split, and drops the rows whose ids all
 * have a colour of their own: they have been compared. Undefined if the sides differ.
 */
function refine(left: Side, right: Side): readonly [Side, Side] | undefined {
  let [mine, others] = [left, right];
  for (;;) {
    if (textOf(mine) !== textOf(others) || !sameColours(mine, others)) return undefined;
    [mine, others] = [unsettled(mine), unsettled(others)];
    if (mine.rows.length === 0) return [mine, others];
    const before = new Set(mine.colours.values()).size;
    const names = new Map<string, number>();
    [mine, others] = [recoloured(mine, names), recoloured(others, names)];
    if (names.size === before) return [mine, others];
  }
}

/** Colours each id by its former colour and by its places in rows. */
function recoloured({ rows, colours }: Side, names: Map<string, number>): Side {
  const places = new Map<string, string[]>();
  for (const row of rows) {
    const text = rowText(row, colours);
    row.ids.forEach((id, at) => {
      append(places, id, `${text}@${at}`);
    });
  }
  const next = [...places].map(([id, texts]) => {
    const name = `${colours.get(id)} ${texts.sort().join("\n")}`;
    if (!names.has(name)) names.set(name, names.size);
    return [id, names.get(name) ?? 0] as const;
  });
  return { rows, colours: new Map(next) };
}

function unsettled(side: Side): Side {
  const shared = sharedIds(side);
  return only(
    side,
    side.rows.filter(({ ids }) => ids.some((id) => shared.has(id))),
  );
}

/** The components: rows that are connected by ids of shared colours. */
function partsOf(side: Side): readonly Side[] {
  const shared = sharedIds(side);
  const rowsOf = new Map<string, Row[]>();
  for (const row of side.rows) for (const id of row.ids) append(rowsOf, id, row);
  const parts: Side[] = [];
  for (const first of shared) {
    const rows = new Set<Row>();
    const reached = [first];
    for (const id of reached) {
      if (!shared.delete(id)) continue;
      for (const row of rowsOf.get(id) ?? []) {
        if (!rows.has(row)) reached.push(...row.ids);
        rows.add(row);
      }
    }
    if (rows.size > 0) parts.push(only(side, [...rows]));
  }
  return parts;
}

function sharedIds({ colours }: Side): Set<string> {
  const byColour = new Map<number, string[]>();
  for (const [id, colour] of colours) append(byColour, colour, id);
  return new Set([...byColour.values()].filter(({ length }) => length > 1).flat());
}

/** An id of a shared colour that the fewest ids have. */
function rarest({ colours }: Side): readonly [id: string, colour: number] {
  const counts = new Map<number, number>();
  for (const colour of colours.values()) counts.set(colour, (counts.get(colour) ?? 0) + 1);
  const few = [...colours].filter(([, colour]) => (counts.get(colour) ?? 0) > 1);
  return few.reduce((a, b) => ((counts.get(b[1]) ?? 0) < (counts.get(a[1]) ?? 0) ? b : a));
}

function trying({ rows, colours }: Side, id: string): Side {
  return { rows, colours: new Map(colours).set(id, TRIED) };
}

function only({ colours }: Side, rows: readonly Row[]): Side {
  const ids = rows.flatMap((row) => row.ids);
  return { rows, colours: new Map(ids.map((id) => [id, colours.get(id) ?? 0])) };
}

/** Equal for sides whose rows are equal up to order, as far as colours distinguish ids. */
function textOf({ rows, colours }: Side): string {
  return rows
    .map((row) => rowText(row, colours))
    .sort()
    .join("\n");
}

function rowText({ shape, ids }: Row, colours: Side["colours"]): string {
  return `${shape} ${ids.map((id) => colours.get(id))}`;
}

function sameColours(left: Side, right: Side): boolean {
  const sorted = ({ colours }: Side) => [...colours.values()].sort((a, b) => a - b).join();
  return sorted(left) === sorted(right);
}

function append<Key, Item>(lists: Map<Key, Item[]>, key: Key, item: Item): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [item]);
  else list.push(item);
}
