import type { DefinedOperation } from "./operation-definition.ts";
import { referencesIn, withReferences } from "./row-reference.ts";

/** Two operations that run concurrently, and the operations before them. */
export interface OperationPair {
  /** `order × cancel, same orders.id`. */
  readonly name: string;
  readonly prefix: readonly DefinedOperation[];
  readonly operations: readonly [DefinedOperation, DefinedOperation];
}

/** An operation that can succeed: the shortest prefix, and some arguments. */
export interface PairCandidates {
  readonly name: string;
  readonly prefix: readonly DefinedOperation[];
  readonly operations: readonly DefinedOperation[];
}

/** What operations do after a prefix: see `ProbedPrefixes`. */
export interface PrefixProbe {
  succeeds(prefix: readonly DefinedOperation[], operation: DefinedOperation): Promise<boolean>;
  excludes(
    prefix: readonly DefinedOperation[],
    first: DefinedOperation,
    second: DefinedOperation,
  ): Promise<boolean>;
}

/** The most arguments and prefixes of a pair on the same rows: one is looked for that excludes the other. */
const MOST_TRIED = 6;

/** How the rows that two operations refer to relate. */
interface Variant {
  readonly name: string;
  /** Whether either operation may exclude the other. */
  readonly meets: boolean;
  /** The second operation of the pair; undefined if there is none. */
  second(first: DefinedOperation, other: DefinedOperation): DefinedOperation | undefined;
}

/**
 * Every two operations, each with itself too, on the same rows and on different ones, after a prefix after
 * which either succeeds alone. Those are preferred in which one fails after the other: their order matters,
 * and such pairs come first.
 */
export async function operationPairs(
  all: readonly PairCandidates[],
  probe: PrefixProbe,
): Promise<readonly OperationPair[]> {
  const pairs: FoundPair[] = [];
  for (const [index, first] of all.entries()) {
    for (const second of all.slice(index)) {
      for (const variant of variantsOf(first, second)) {
        const found = await searchPair(first, second, variant, probe);
        if (found !== undefined) pairs.push(found);
      }
    }
  }
  return [true, false].flatMap((excludes) =>
    pairs.flatMap(({ pair, ...found }) => (found.excludes === excludes ? pair : [])),
  );
}

interface FoundPair {
  readonly pair: OperationPair;
  /** Whether one of its operations fails after the other. */
  readonly excludes: boolean;
}

async function searchPair(
  first: PairCandidates,
  second: PairCandidates,
  variant: Variant,
  probe: PrefixProbe,
): Promise<FoundPair | undefined> {
  const name = `${first.name} × ${second.name}${variant.name}`;
  let found: FoundPair | undefined;
  let tried = 0;
  for (const { prefix, operations } of candidatesOf(first, second, variant)) {
    if (tried === MOST_TRIED && found !== undefined) break;
    const [one, other] = operations;
    if (!(await probe.succeeds(prefix, one)) || !(await probe.succeeds(prefix, other))) continue;
    tried++;
    const pair = { name, prefix, operations };
    found ??= { pair, excludes: false };
    if (!variant.meets) return found;
    if ((await probe.excludes(prefix, one, other)) || (await probe.excludes(prefix, other, one))) {
      return { pair, excludes: true };
    }
  }
  return found;
}

/** Those with short prefixes first. */
function* candidatesOf(
  first: PairCandidates,
  second: PairCandidates,
  variant: Variant,
): Generator<Pick<OperationPair, "prefix" | "operations">> {
  const [a, b] = [first.prefix, second.prefix];
  const prefixes = [a, b, [...a, ...b], [...b, ...a]].sort((x, y) => x.length - y.length);
  const distinct = [
    ...new Map(prefixes.map((prefix) => [JSON.stringify(prefix), prefix])).values(),
  ];
  for (const prefix of distinct) {
    for (const one of first.operations) {
      for (const other of second.operations) {
        const changed = variant.second(one, other);
        if (changed !== undefined) yield { prefix, operations: [one, changed] };
      }
    }
  }
}

function variantsOf(first: PairCandidates, second: PairCandidates): readonly Variant[] {
  const shared = sharedColumns(first, second);
  const columns = [...shared].join(", ");
  const itself = first.name === second.name;
  const isAnother = (one: DefinedOperation, other: DefinedOperation) =>
    JSON.stringify(one) === JSON.stringify(other) ? undefined : other;
  if (shared.size === 0) {
    if (!itself) return [{ name: "", meets: false, second: (_, other) => other }];
    return [
      { name: ", same arguments", meets: true, second: (one) => one },
      { name: ", different arguments", meets: false, second: isAnother },
    ];
  }
  return [
    {
      name: `, same ${columns}`,
      meets: true,
      second: (one, other) => (itself ? one : withRowsOf(one, other, (rows) => rows)),
    },
    {
      name: `, different ${columns}`,
      meets: false,
      second: (one, other) => withRowsOf(one, other, otherRows),
    },
    ...partlySame(shared),
    {
      name: `, crossed ${columns}`,
      meets: true,
      second: (one, other) =>
        hasTwo(one) && hasTwo(other)
          ? isAnother(
              one,
              withRowsOf(one, other, (rows) => rows.toReversed()),
            )
          : undefined,
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
    meets: true,
    second: (one, other) =>
      withRowsOf(one, other, (rows, column) => (column === same ? rows : otherRows(rows))),
  }));
}

function sharedColumns(first: PairCandidates, second: PairCandidates): ReadonlySet<string> {
  const columnsOf = ({ operations }: PairCandidates) =>
    new Set(operations.flatMap((one) => referencesIn(one).map(({ of }) => of as string)));
  const others = columnsOf(second);
  return new Set([...columnsOf(first)].filter((column) => others.has(column)));
}

/** The numbers of the rows that an operation refers to, by column. */
function rowsOf(operation: DefinedOperation): Map<string, readonly number[]> {
  const rows = new Map<string, readonly number[]>();
  for (const { of, row } of referencesIn(operation)) rows.set(of, [...(rows.get(of) ?? []), row]);
  return rows;
}

/** As many other rows, those with the least numbers. */
function otherRows(rows: readonly number[]): readonly number[] {
  return Array.from({ length: 2 * rows.length }, (_, row) => row)
    .filter((row) => !rows.includes(row))
    .slice(0, rows.length);
}

/** Whether an operation refers to two rows of one table: two such operations may meet in either order. */
function hasTwo(operation: DefinedOperation): boolean {
  return [...rowsOf(operation).values()].some((rows) => rows.length > 1);
}

/** `other` with rows that follow from those of `one`, column by column. */
function withRowsOf(
  one: DefinedOperation,
  other: DefinedOperation,
  change: (rows: readonly number[], column: string) => readonly number[],
): DefinedOperation {
  const given = rowsOf(one);
  const counts = new Map<string, number>();
  return withReferences(other, (reference) => {
    const rows = given.get(reference.of);
    if (rows === undefined) return reference;
    const at = counts.get(reference.of) ?? 0;
    counts.set(reference.of, at + 1);
    const changed = change(rows, reference.of);
    return { ...reference, row: changed[at % changed.length] ?? reference.row };
  });
}
