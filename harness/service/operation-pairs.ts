import type { DefinedOperation } from "./operation-definition.ts";
import { neededRows, type PairCandidates, type Variant, variantsOf } from "./pair-variants.ts";

/** Two operations that run concurrently, and the operations before them. */
export interface OperationPair {
  /** `order × cancel, same orders.id`. */
  readonly name: string;
  readonly prefix: readonly DefinedOperation[];
  readonly operations: readonly [DefinedOperation, DefinedOperation];
}

/** What operations do after a prefix: see `ProbedPrefixes`. */
export interface PrefixProbe {
  succeeds(prefix: readonly DefinedOperation[], operation: DefinedOperation): Promise<boolean>;
  excludes(
    prefix: readonly DefinedOperation[],
    first: DefinedOperation,
    second: DefinedOperation,
  ): Promise<boolean>;
  related(
    prefix: readonly DefinedOperation[],
    one: DefinedOperation,
    other: DefinedOperation,
  ): Promise<DefinedOperation | undefined>;
  /**
   * The prefix, longer by operations that make rows until each of the columns has so many values, as far as they
   * can: with the arguments that they have in the prefix, so that the rows belong together, or with others.
   *
   * @param most its most operations. Default: enough for a pair.
   */
  enriched(
    prefix: readonly DefinedOperation[],
    rows: ReadonlyMap<string, number>,
    how: "repeated" | "varied",
    most?: number,
  ): Promise<readonly DefinedOperation[]>;
}

/** The pairs of a service, and those that it has no state for. */
export interface FoundPairs {
  readonly pairs: readonly OperationPair[];
  /** The names of pairs for which no state was found in which both operations succeed, each alone. */
  readonly unreached: readonly string[];
}

/** The most arguments that are tried after each prefix: some are looked for with which one excludes the other. */
const MOST_TRIED = 4;

/** The same for operations that refer to rows of different tables, or to none: few of them exclude each other. */
const MOST_UNRELATED = 1;

/** How often an operation is repeated before a pair, to come to the end of a quota or of a stock. */
const MOST_REPEATED = 3;

/**
 * Every two operations, each with itself too, on the same rows and on different ones, after a prefix after
 * which both succeed, each alone. States with two rows of each kind are tried first. Those are preferred in
 * which one operation fails after the other: their order matters, and such pairs come first. Operations that refer
 * to rows of different tables share one state, as far as they succeed in it: they are most of the pairs of a large
 * service.
 */
export async function operationPairs(
  all: readonly PairCandidates[],
  probe: PrefixProbe,
): Promise<FoundPairs> {
  const pairs: FoundPair[] = [];
  const unreached: string[] = [];
  const common = await commonPrefix(all, probe);
  for (const [index, first] of all.entries()) {
    for (const second of all.slice(index)) {
      let prefixes: Prefixes | undefined;
      for (const variant of variantsOf(first, second)) {
        const combined = combinationsOf(first, second, variant);
        if (combined.length === 0) continue;
        const name = `${first.name} × ${second.name}${variant.name}`;
        let found = variant.shares
          ? []
          : await searchPair(name, [common], combined, variant, probe);
        if (found.length === 0) {
          prefixes ??= await prefixesOf(first, second, probe);
          found = await searchPair(name, prefixes, combined, variant, probe);
        }
        if (found.length === 0) unreached.push(name);
        pairs.push(...found);
      }
    }
  }
  const sorted = [true, false].flatMap((excludes) =>
    pairs.flatMap(({ pair, ...found }) => (found.excludes === excludes ? pair : [])),
  );
  return { pairs: sorted, unreached };
}

interface FoundPair {
  readonly pair: OperationPair;
  /** Whether one of its operations fails after the other. */
  readonly excludes: boolean;
}

type Combination = OperationPair["operations"];
type Prefixes = readonly (readonly DefinedOperation[])[];

async function searchPair(
  name: string,
  prefixes: Prefixes,
  combined: readonly Combination[],
  { shares }: Variant,
  probe: PrefixProbe,
): Promise<readonly FoundPair[]> {
  let found: OperationPair | undefined;
  for (const prefix of prefixes) {
    let tried = 0;
    for await (const operations of shares ? combined : related(prefix, combined, probe)) {
      if (tried === (shares ? MOST_TRIED : MOST_UNRELATED)) break;
      if (!(await bothSucceed(prefix, operations, probe))) continue;
      tried++;
      const pair = { name, prefix, operations };
      if (await eitherExcludes(pair, probe)) return [{ pair, excludes: true }];
      found ??= pair;
    }
    if (found !== undefined && !shares) break;
  }
  if (found === undefined) return [];
  const exhausted = shares ? await exhaustedPair(found, probe) : undefined;
  // Where one fails after the other, what both do may not show, such as a count that loses one of them.
  return [
    ...(exhausted === undefined ? [] : [{ pair: exhausted, excludes: true }]),
    { pair: found, excludes: false },
  ];
}

/** The combinations, those on rows of different tables that belong together first. */
async function* related(
  prefix: readonly DefinedOperation[],
  combined: readonly Combination[],
  probe: PrefixProbe,
): AsyncGenerator<Combination> {
  for (const [one, other] of combined.slice(0, MOST_TRIED)) {
    const changed = await probe.related(prefix, one, other);
    if (changed !== undefined) yield [one, changed];
  }
  yield* combined;
}

/** The pair after so many of its own operations that one of them then fails after the other. */
async function exhaustedPair(
  { name, prefix, operations }: OperationPair,
  probe: PrefixProbe,
): Promise<OperationPair | undefined> {
  for (const repeated of new Map(operations.map((one) => [JSON.stringify(one), one])).values()) {
    let longer = prefix;
    for (let times = 0; times < MOST_REPEATED; times++) {
      longer = [...longer, repeated];
      if (!(await bothSucceed(longer, operations, probe))) break;
      const pair = { name: `${name}, almost used up`, prefix: longer, operations };
      if (await eitherExcludes(pair, probe)) return pair;
    }
  }
  return undefined;
}

async function bothSucceed(
  prefix: readonly DefinedOperation[],
  [one, other]: Combination,
  probe: PrefixProbe,
): Promise<boolean> {
  return (await probe.succeeds(prefix, one)) && (await probe.succeeds(prefix, other));
}

async function eitherExcludes(
  { prefix, operations: [one, other] }: OperationPair,
  probe: PrefixProbe,
): Promise<boolean> {
  return (await probe.excludes(prefix, one, other)) || (await probe.excludes(prefix, other, one));
}

/** The most operations of the prefix that is common to pairs. */
const MOST_COMMON = 60;

/** After it there are rows of each kind that the operations refer to, as far as they can make them. */
async function commonPrefix(
  all: readonly PairCandidates[],
  probe: PrefixProbe,
): Promise<readonly DefinedOperation[]> {
  const rows = new Map<string, number>();
  for (const one of all) {
    for (const [column, count] of neededRows(one, one)) {
      rows.set(column, Math.max(count, rows.get(column) ?? 0));
    }
  }
  // Rows may need those of a kind that comes later.
  const once = await probe.enriched([], rows, "varied", MOST_COMMON);
  return probe.enriched(once, rows, "varied", MOST_COMMON);
}

/** Rich ones first, and then the shortest. */
async function prefixesOf(
  first: PairCandidates,
  second: PairCandidates,
  probe: PrefixProbe,
): Promise<Prefixes> {
  const [a, b] = [first.prefix, second.prefix];
  const own = distinct([a, b, [...a, ...b], [...b, ...a]]).sort((x, y) => x.length - y.length);
  const rows = neededRows(first, second);
  const base = JSON.stringify(a) === JSON.stringify(b) ? a : [...a, ...b];
  const rich = [
    await probe.enriched(base, rows, "repeated"),
    await probe.enriched(base, rows, "varied"),
  ];
  return distinct([...rich, ...own]);
}

function distinct<T>(all: readonly T[]): T[] {
  return [...new Map(all.map((one) => [JSON.stringify(one), one])).values()];
}

function combinationsOf(
  first: PairCandidates,
  second: PairCandidates,
  variant: Variant,
): readonly Combination[] {
  const all = first.operations.flatMap((one) =>
    second.operations.flatMap((other) =>
      variant.seconds(one, other).map((changed): Combination => [one, changed]),
    ),
  );
  return distinct(all);
}
