import type { DefinedOperation } from "./operation-definition.ts";
import { referencesIn, withReferences } from "./row-reference.ts";

/** An operation that can succeed: the shortest prefix, and some arguments. */
export interface PairCandidates {
  readonly name: string;
  readonly prefix: readonly DefinedOperation[];
  readonly operations: readonly DefinedOperation[];
}

/** How the rows that two operations refer to relate. */
export interface Variant {
  readonly name: string;
  /** Whether the operations refer to rows of one table. */
  readonly shares: boolean;
  /** The second operation of the pair, in each of its forms. */
  seconds(first: DefinedOperation, other: DefinedOperation): readonly DefinedOperation[];
}

/** How the second operation of a pair may relate to the first one. */
export function variantsOf(first: PairCandidates, second: PairCandidates): readonly Variant[] {
  const shared = sharedColumns(first, second);
  const columns = [...shared].join(", ");
  const itself = first.name === second.name;
  const ifAnother = (one: DefinedOperation, other: DefinedOperation) =>
    JSON.stringify(one) === JSON.stringify(other) ? [] : [other];
  if (shared.size === 0) {
    if (!itself) return [{ name: "", shares: false, seconds: (_, other) => [other] }];
    return [
      { name: ", same arguments", shares: true, seconds: (one) => [one] },
      { name: ", different arguments", shares: true, seconds: ifAnother },
    ];
  }
  return [
    ...Array.from({ length: itself ? 1 : placesOf(first, second, shared) }, (_, place) => ({
      name: `, same ${columns}${place === 0 ? "" : ` (${place + 1})`}`,
      shares: true,
      seconds: (one: DefinedOperation, other: DefinedOperation) =>
        itself ? [one] : [withRowsOf(one, other, (rows, count) => sameRows(rows, count, place))],
    })),
    {
      name: `, different ${columns}`,
      shares: true,
      seconds: (one, other) => onOtherRows(one, other, () => undefined),
    },
    ...partlySame(shared),
    {
      name: `, crossed ${columns}`,
      shares: true,
      seconds: (one, other) =>
        hasTwo(one) && hasTwo(other)
          ? ifAnother(
              one,
              withRowsOf(one, other, (rows, count) => sameRows(rows.toReversed(), count, 0)),
            )
          : [],
    },
  ];
}

/**
 * The same row of one table and different rows of the others, for each table: a limit for each wallet is
 * exceeded by operations on one wallet and two seats (write skew).
 */
function partlySame(shared: ReadonlySet<string>): readonly Variant[] {
  if (shared.size < 2) return [];
  return [...shared].map((same) => ({
    name: `, same ${same}, different ${[...shared].filter((column) => column !== same).join(", ")}`,
    shares: true,
    seconds: (one, other) =>
      onOtherRows(one, other, (rows, count, column) =>
        column === same ? sameRows(rows, count, 0) : undefined,
      ),
  }));
}

function sharedColumns(first: PairCandidates, second: PairCandidates): ReadonlySet<string> {
  const others = columnsOf(second);
  return new Set([...columnsOf(first)].filter((column) => others.has(column)));
}

/** At least two rows of each kind, so that there are different ones; more for operations that refer to several. */
const LEAST_ROWS = 2;

/** How many rows two operations need at the most, by the columns that they refer to. */
export function neededRows(
  first: PairCandidates,
  second: PairCandidates,
): ReadonlyMap<string, number> {
  const [mine, others] = [first, second].map(({ operations: [one] }) => rowsOf(one));
  const count = (column: string) =>
    (mine?.get(column)?.length ?? 0) + (others?.get(column)?.length ?? 0);
  const columns = new Set([...columnsOf(first), ...columnsOf(second)]);
  return new Map([...columns].map((column) => [column, Math.max(LEAST_ROWS, count(column))]));
}

function columnsOf({ operations }: PairCandidates): ReadonlySet<string> {
  return new Set(operations.flatMap((one) => referencesIn(one).map(({ of }) => of as string)));
}

/** The numbers of the rows that an operation refers to, by column. */
function rowsOf(operation: DefinedOperation | undefined): Map<string, readonly number[]> {
  const rows = new Map<string, readonly number[]>();
  if (operation === undefined) return rows;
  for (const { of, row } of referencesIn(operation)) rows.set(of, [...(rows.get(of) ?? []), row]);
  return rows;
}

/**
 * In how many ways operations meet at a row, if one of them refers to more rows of a table: a payment meets a
 * transfer at the account that gives, and at the one that gets.
 */
function placesOf(
  { operations: [one] }: PairCandidates,
  { operations: [other] }: PairCandidates,
  shared: ReadonlySet<string>,
): number {
  const [mine, others] = [rowsOf(one), rowsOf(other)];
  const places = [...shared].map((column) => {
    const counts = [mine, others].map((rows) => rows.get(column)?.length ?? 1);
    return counts[0] === counts[1] ? 1 : Math.max(...counts);
  });
  return Math.max(...places);
}

/** So many rows of which as many as can be are the given ones, those from a place on. */
function sameRows(rows: readonly number[], count: number, place: number): readonly number[] {
  if (count <= rows.length) {
    return Array.from({ length: count }, (_, at) => rows[(at + place) % rows.length] ?? 0);
  }
  const others = otherRows(rows, count - rows.length, 0);
  const all = [...rows, ...others];
  return Array.from({ length: count }, (_, at) => all[(at - place + count) % count] ?? 0);
}

/** The least numbers that other rows are counted from: there may be more than one other row. */
const OTHERS_FROM = [0, 1];

type Rows = readonly number[];

/** `other` on other rows than those of `one`, where `keep` does not say which. */
function onOtherRows(
  one: DefinedOperation,
  other: DefinedOperation,
  keep: (rows: Rows, count: number, column: string) => Rows | undefined,
): readonly DefinedOperation[] {
  return OTHERS_FROM.map((from) =>
    withRowsOf(
      one,
      other,
      (rows, count, column) => keep(rows, count, column) ?? otherRows(rows, count, from),
    ),
  );
}

/** So many other rows, those with the least numbers from `from` on. */
function otherRows(rows: readonly number[], count: number, from: number): readonly number[] {
  return Array.from({ length: rows.length + count + from }, (_, row) => row)
    .filter((row) => !rows.includes(row))
    .slice(from, from + count);
}

/** Whether an operation refers to two rows of one table: two such operations may meet in either order. */
function hasTwo(operation: DefinedOperation): boolean {
  return [...rowsOf(operation).values()].some((rows) => rows.length > 1);
}

/** `other` with rows that follow from those of `one`, column by column. */
function withRowsOf(
  one: DefinedOperation,
  other: DefinedOperation,
  change: (rows: Rows, count: number, column: string) => Rows,
): DefinedOperation {
  const [given, own] = [rowsOf(one), rowsOf(other)];
  const counts = new Map<string, number>();
  return withReferences(other, (reference) => {
    const rows = given.get(reference.of);
    if (rows === undefined) return reference;
    const at = counts.get(reference.of) ?? 0;
    counts.set(reference.of, at + 1);
    const changed = change(rows, own.get(reference.of)?.length ?? 1, reference.of);
    return { ...reference, row: changed[at] ?? reference.row };
  });
}
