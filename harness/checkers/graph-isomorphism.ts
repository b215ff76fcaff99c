/** A row's text without its ids, and the ids in the order in which they stand in it. */
export interface Row {
  readonly shape: string;
  readonly ids: readonly string[];
}

/** Rows, and a colour for each of their ids: it is paired only with ids of the same colour. */
interface Side {
  readonly rows: readonly Row[];
  readonly colours: ReadonlyMap<string, number>;
}

export type Sameness = "same" | "different" | "unknown";

/** How many rows may be looked at while ids are tried for one another. */
const LOOKS = 10_000;

/** The colour of ids that are tried for one another. All others are 0 or more. */
const TRIED = -1;

/**
 * Whether two lists of rows are the same in some order, once each id of the one is paired with one of
 * the other. `unknown` if too much would have to be tried to tell.
 *
 * It is a search for an isomorphism of graphs: ids that stand in different places get different
 * colours, until there is nothing more to tell. What hangs together by ids that share their colour
 * is then a part. Of parts that are the same any may be taken for any, so none is ever taken back;
 * only which id is which within a part has to be tried.
 */
export function isomorphic(left: Side, right: Side): Sameness {
  let looks = LOOKS;

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
    return [...right.colours].some(([other, its]) => {
      if (its !== colour || looks < 0) return false;
      looks -= left.rows.length;
      return same(trying(left, id), trying(right, other));
    });
  }

  if (same(left, right)) return "same";
  return looks < 0 ? "unknown" : "different";
}

/**
 * With as many colours as tell ids apart, and only the rows in which an id shares its colour; the
 * others have been compared. Undefined if the sides are different.
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

/** By colour, and by where the rows stand in which an id is. */
function recoloured({ rows, colours }: Side, names: Map<string, number>): Side {
  const places = new Map<string, string[]>();
  for (const row of rows) {
    const text = rowText(row, colours);
    row.ids.forEach((id, at) => {
      append(places, id, `${text}@${at}`);
    });
  }
  const next = [...places].map(([id, its]) => {
    const name = `${colours.get(id)} ${its.sort().join("\n")}`;
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

/** What hangs together by ids that share their colour. */
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

/** An id with a colour that few share. */
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

/** The same for sides whose rows are the same in some order, as far as colours tell. */
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
