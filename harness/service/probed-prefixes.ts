import type { DefinedOperation } from "./operation-definition.ts";
import type { PrefixProbe } from "./operation-pairs.ts";
import { type ReferencedRows, referencesIn, withReferences } from "./row-reference.ts";
import type { SerialProbe, Success } from "./serial-probe.ts";

/** The most operations of a prefix that is made richer. */
const MOST_OPERATIONS = 12;

/** The most arguments with which an operation is tried to make one more row. */
const MOST_MAKERS = 6;

/** What operations do after prefixes. Each prefix is executed as few times as possible. */
export class ProbedPrefixes implements PrefixProbe {
  readonly #probe: SerialProbe;
  readonly #makers: ReadonlyMap<string, readonly Success[]>;
  readonly #known = new Map<string, boolean>();
  readonly #excludes = new Map<string, boolean>();
  readonly #rows = new Map<string, ReferencedRows>();

  /** @param makers by column: the operations after which it had more values */
  constructor(probe: SerialProbe, makers: ReadonlyMap<string, readonly Success[]>) {
    this.#probe = probe;
    this.#makers = makers;
  }

  /** Whether an operation succeeds right after a prefix, and the rows that it refers to exist. */
  async succeeds(
    prefix: readonly DefinedOperation[],
    operation: DefinedOperation,
  ): Promise<boolean> {
    const key = JSON.stringify([prefix, operation]);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const isNew = !this.#rows.has(JSON.stringify(prefix));
    const first = await this.rowsAfter(prefix);
    const isThere = JSON.stringify(normalized(operation, first)) === JSON.stringify(operation);
    let succeeds = false;
    if (isThere) {
      // Reading the rows of a new prefix has led there. Later they may have other ids, if these are random.
      const rows = isNew ? first : await this.#probe.reach(prefix);
      succeeds = (await this.#probe.perform(operation, rows)).outcome === "ok";
    }
    this.#known.set(key, succeeds);
    return succeeds;
  }

  /** Whether the second operation, which succeeds right after the prefix, fails after the first one. */
  async excludes(
    prefix: readonly DefinedOperation[],
    first: DefinedOperation,
    second: DefinedOperation,
  ): Promise<boolean> {
    const key = JSON.stringify([prefix, first, second]);
    const known = this.#excludes.get(key);
    if (known !== undefined) return known;
    const rows = await this.#probe.reach(prefix);
    await this.#probe.perform(first, rows);
    const excludes = (await this.#probe.perform(second, rows)).outcome !== "ok";
    this.#excludes.set(key, excludes);
    return excludes;
  }

  /** The second operation on rows that belong to those of the first one, after a prefix; undefined if none do. */
  async related(
    prefix: readonly DefinedOperation[],
    one: DefinedOperation,
    other: DefinedOperation,
  ): Promise<DefinedOperation | undefined> {
    if (![one, other].every((operation) => referencesIn(operation).length > 0)) return undefined;
    const rows = await this.#probe.reach(prefix);
    return this.#probe.related.related(one, other, rows);
  }

  /**
   * The prefix without the operations that the success does not need: first without those that make no rows, and
   * then without many and without fewer, since most have nothing to do with it (Zeller and Hildebrandt's delta
   * debugging).
   */
  async shortened({ prefix, operation }: Success): Promise<readonly DefinedOperation[]> {
    const makers = [...this.#makers.values()].flat();
    const texts = new Set(makers.map((maker) => JSON.stringify(maker.operation)));
    const making = prefix.filter((one) => texts.has(JSON.stringify(one)));
    let shortest = (await this.succeeds(making, operation)) ? making : prefix;
    for (let size = prefix.length; size >= 1; size = Math.floor(size / 2)) {
      for (let end = shortest.length; end > 0; end -= size) {
        const start = Math.max(0, end - size);
        const shorter = shortest.toSpliced(start, end - start);
        if (await this.succeeds(shorter, operation)) shortest = shorter;
      }
    }
    return shortest;
  }

  async enriched(
    prefix: readonly DefinedOperation[],
    rows: ReadonlyMap<string, number>,
    how: "repeated" | "varied",
    most: number = MOST_OPERATIONS,
  ): Promise<readonly DefinedOperation[]> {
    let rich = prefix;
    for (const [column, wanted] of rows) {
      for (let count = await this.#countAfter(rich, column); count < wanted; count++) {
        const longer = await this.#withOneMore(rich, column, { how, most });
        if (longer === undefined) break;
        rich = longer;
      }
    }
    return rich;
  }

  /** The rows that references are drawn from after a prefix. */
  async rowsAfter(prefix: readonly DefinedOperation[]): Promise<ReferencedRows> {
    const key = JSON.stringify(prefix);
    const rows = this.#rows.get(key) ?? (await this.#probe.reach(prefix));
    this.#rows.set(key, rows);
    return rows;
  }

  async #withOneMore(
    prefix: readonly DefinedOperation[],
    column: string,
    { how, most }: { readonly how: "repeated" | "varied"; readonly most: number },
  ): Promise<readonly DefinedOperation[] | undefined> {
    const texts = new Set(prefix.map((operation) => JSON.stringify(operation)));
    const isRepeated = ({ operation }: Success) => texts.has(JSON.stringify(operation));
    const makers = this.#makers.get(column) ?? [];
    const sorted = [true, false].flatMap((repeated) =>
      makers.filter((maker) => isRepeated(maker) === ((how === "repeated") === repeated)),
    );
    const before = await this.#countAfter(prefix, column);
    for (const maker of sorted.slice(0, MOST_MAKERS)) {
      for (const needed of maker.prefix.length === 0 ? [[]] : [[], maker.prefix]) {
        const longer = [...prefix, ...needed, maker.operation];
        if (longer.length > most) continue;
        if ((await this.#countAfter(longer, column)) > before) return longer;
      }
    }
    return undefined;
  }

  async #countAfter(prefix: readonly DefinedOperation[], column: string): Promise<number> {
    return (await this.rowsAfter(prefix)).get(column)?.length ?? 0;
  }
}

/** The operation with numbers of rows that exist. */
export function normalized(operation: DefinedOperation, rows: ReferencedRows): DefinedOperation {
  return withReferences(operation, ({ of, row }) => ({
    of,
    row: row % Math.max(1, rows.get(of)?.length ?? 0),
  }));
}
