import type { Json } from "./json.ts";
import {
  type Context,
  chunksOf,
  DURATION,
  isAccident,
  isBareNumber,
  isCutElsewhere,
  isObject,
  isRandom,
  isScalar,
  isTime,
  isUuid,
  NUMBER,
  placeholders,
  plain,
  shapeOf,
  tokensOf,
  UNIQUE,
  unitOf,
  type VolatileValue,
} from "./volatile-values.ts";

/** The first part in which two executions differ other than by volatile values. */
export interface Difference {
  /** The number of the part, from 0. */
  readonly at: number;
  /** The part in short form, around what differs, with placeholders; undefined if there is none. */
  readonly expected: string | undefined;
  readonly actual: string | undefined;
}

export interface ComparisonOptions {
  /** Values that are known to be volatile. Default: none. */
  readonly known?: readonly VolatileValue[] | undefined;
  /** What was executed. The values in it are inputs, and never volatile. Default: nothing. */
  readonly inputs?: unknown;
  /**
   * Whether any value that differs is volatile, whatever it looks like. This holds for two executions
   * that both began on a freshly started system. Else a short number or word that differs is a result
   * that depends on an earlier execution, or on chance. Default: false.
   */
  readonly anyValue?: boolean;
}

/**
 * The members that hold values. All others (tasks, tags, codes, …) are compared as they are.
 */
const VALUES = new Set(
  "values sql message body evidence orders snapshot contents advisoryLocks waits".split(" "),
);

/**
 * Compares executions of one schedule up to volatile values: those are paired, the recorded one with
 * the new one, wherever they stand: alone, in texts, or in arrays. A UUID or a text is always paired
 * with the same other one, and neither occurs in the other execution. Equal times may become different
 * ones, and the other way round.
 */
export class VolatileComparison {
  readonly #values: VolatileValue[];
  readonly #known: ReadonlySet<string>;
  readonly #forth = new Map<string, string>();
  readonly #back = new Map<string, string>();
  readonly #seen = new Set<string>();
  readonly #inputs: string;
  readonly #inputTimes: ReadonlySet<number>;
  readonly #anyValue: boolean;

  constructor({ known = [], inputs = null, anyValue = false }: ComparisonOptions = {}) {
    this.#values = [...known];
    this.#known = new Set(known.map(({ value }) => value));
    this.#inputs = JSON.stringify(inputs);
    const times = tokensOf(this.#inputs).filter((token) => isTime(token));
    this.#inputTimes = new Set(times.map((time) => Date.parse(time)));
    this.#anyValue = anyValue;
  }

  /** The volatile values by order of first appearance, those that were known first. */
  get values(): readonly VolatileValue[] {
    return this.#values;
  }

  /** The number of values that differed. */
  get count(): number {
    return this.#seen.size;
  }

  /** The first difference between two lists of parts, such as the events of two traces. */
  difference(expected: readonly unknown[], actual: readonly unknown[]): Difference | undefined {
    const [mine, others] = [expected.map(plain), actual.map(plain)];
    const length = Math.max(mine.length, others.length);
    for (let at = 0; at < length; at++) {
      const [left, right] = [mine[at], others[at]];
      if (left === undefined || right === undefined || !this.#same(left, right, false)) {
        return this.#differenceAt(at, left, right);
      }
    }
    const at = this.#reused(mine, others);
    return at < 0 ? undefined : this.#differenceAt(at, mine[at], others[at]);
  }

  #differenceAt(at: number, left: Json | undefined, right: Json | undefined): Difference {
    const [expected, actual] = excerpts(
      left === undefined ? "" : placeholders(JSON.stringify(left), this.#values),
      right === undefined ? "" : placeholders(JSON.stringify(right), this.#renamedValues()),
    );
    return {
      at,
      expected: left === undefined ? undefined : expected,
      actual: right === undefined ? undefined : actual,
    };
  }

  #renamedValues(): readonly VolatileValue[] {
    return this.#values.map(({ kind, value }) => ({
      kind,
      value: this.#forth.get(value) ?? value,
    }));
  }

  /** The first part with a value that the other execution has too, although it is volatile; or -1. */
  #reused(mine: readonly Json[], others: readonly Json[]): number {
    const texts = [mine, others].map((parts) => parts.map((part) => JSON.stringify(part)));
    for (const [a, b] of this.#forth) {
      const reused = (texts[1] ?? []).findIndex((text) => text.includes(a));
      if (reused >= 0) return reused;
      const before = (texts[0] ?? []).findIndex((text) => text.includes(b));
      if (before >= 0) return before;
    }
    return -1;
  }

  #same(left: Json, right: Json, isValue: boolean): boolean {
    if (left === right) return true;
    if (isScalar(left) && isScalar(right)) {
      if (!isValue || typeof left !== typeof right) return false;
      const [mine, other] = [String(left), String(right)];
      return this.#sameNumber(mine, other) || this.#sameText(mine, other);
    }
    if (Array.isArray(left) && Array.isArray(right)) return this.#sameItems(left, right, isValue);
    if (!isObject(left) || !isObject(right)) return false;
    const fields = Object.keys(left);
    return (
      fields.length === Object.keys(right).length &&
      fields.every((field) => {
        const [mine, other] = [left[field], right[field]];
        if (mine === undefined || other === undefined) return false;
        return this.#same(mine, other, isValue || VALUES.has(field));
      })
    );
  }

  /** Rows that were ordered by a volatile value come in another order. */
  #sameItems(left: readonly Json[], right: readonly Json[], isValue: boolean): boolean {
    if (left.length !== right.length) return false;
    const before = this.#state();
    const inOrder = left.every((item, at) => this.#same(item, right[at] ?? null, isValue));
    if (inOrder || !isValue || left.length < 2 || !left.every(isObject)) return inOrder;
    this.#restore(before);
    const sorted = (items: readonly Json[]) =>
      items
        .map((item) => ({ item, text: shapeOf(JSON.stringify(item)) }))
        .sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0))
        .map(({ item }) => item);
    const others = sorted(right);
    return sorted(left).every((item, at) => this.#same(item, others[at] ?? null, isValue));
  }

  #state(): Pairing {
    return {
      values: [...this.#values],
      seen: [...this.#seen],
      forth: [...this.#forth],
    };
  }

  #restore({ values, seen, forth }: Pairing): void {
    this.#values.splice(0, Infinity, ...values);
    this.#seen.clear();
    for (const value of seen) this.#seen.add(value);
    this.#forth.clear();
    this.#back.clear();
    for (const [a, b] of forth) {
      this.#forth.set(a, b);
      this.#back.set(b, a);
    }
  }

  /** Whether both are bare numbers, with their signs and exponents, of which any two may stand for each other. */
  #sameNumber(left: string, right: string): boolean {
    if (!isBareNumber(left) || !isBareNumber(right)) return false;
    if (!this.#anyValue && !this.#known.has(left)) return false;
    return this.#paired(left, right, "number");
  }

  #sameText(left: string, right: string): boolean {
    const [mine, others] = [tokensOf(left), tokensOf(right)];
    if (this.#sameTokens(mine, others)) return true;
    // A random text may look like one token, or like several.
    if (mine.length === others.length) return false;
    const [parts, otherParts] = [chunksOf(left), chunksOf(right)];
    return parts.length === otherParts.length && this.#sameTokens(parts, otherParts);
  }

  #sameTokens(left: readonly string[], right: readonly string[]): boolean {
    const isWhole = left.length === 1 && right.length === 1;
    const pairs: {
      readonly pair: readonly [string, string];
      readonly kind: VolatileValue["kind"];
    }[] = [];
    let longer = 0;
    for (const [at, a] of left.entries()) {
      const b = right[at] ?? "";
      if (a === b) continue;
      const context = isWhole
        ? undefined
        : { before: left.slice(0, at), after: left.slice(at + 1) };
      const kind = this.#kindOf(a, b, context);
      if (kind === undefined) {
        const rest = [left.slice(at).join(""), right.slice(at).join("")] as const;
        if (!isCutElsewhere(rest, longer)) return false;
        break;
      }
      pairs.push({ pair: [a, b], kind });
      longer += a.length - b.length;
    }
    const tail = right.slice(left.length).join("");
    if (tail !== "" && tail.length !== longer) return false;
    return pairs.every(({ pair: [a, b], kind }) => this.#paired(a, b, kind));
  }

  #kindOf(a: string, b: string, context: Context | undefined): VolatileValue["kind"] | undefined {
    if (isUuid(a) && isUuid(b)) return this.#unlessInput("uuid", a, b);
    if (isTime(a) && isTime(b)) {
      const isInput = [a, b].some((time) => this.#inputTimes.has(Date.parse(time)));
      return isInput ? undefined : "time";
    }
    if ([a, b].every((token) => DURATION.test(token))) return "time";
    const isNumber = [a, b].every((token) => NUMBER.test(token));
    const kind = isNumber ? "number" : "text";
    if (this.#known.has(a)) return kind;
    if (isNumber) {
      if (context && [a, b].every((number) => DURATION.test(number + unitOf(context))))
        return "time";
      if (this.#anyValue || isAccident(a, b, context)) return kind;
      return undefined;
    }
    const isWord = [a, b].every((token) => /^\S+$/.test(token));
    return isWord && (this.#anyValue || isRandom(a, b)) ? this.#unlessInput(kind, a, b) : undefined;
  }

  #unlessInput(
    kind: VolatileValue["kind"],
    a: string,
    b: string,
  ): VolatileValue["kind"] | undefined {
    return this.#inputs.includes(a) || this.#inputs.includes(b) ? undefined : kind;
  }

  #paired(a: string, b: string, kind: VolatileValue["kind"]): boolean {
    if (kind === "uuid" || (kind === "text" && a.length >= UNIQUE && b.length >= UNIQUE)) {
      if ((this.#forth.get(a) ?? b) !== b || (this.#back.get(b) ?? a) !== a) return false;
      this.#forth.set(a, b);
      this.#back.set(b, a);
    }
    if (!this.#values.some(({ value }) => value === a)) this.#values.push({ kind, value: a });
    this.#seen.add(a);
    return true;
  }
}

/** What a comparison has found so far. */
interface Pairing {
  readonly values: readonly VolatileValue[];
  readonly seen: readonly string[];
  readonly forth: readonly (readonly [string, string])[];
}

/** Shorter parts are shown whole. */
const SHOWN = 160;
const CONTEXT = 40;

function excerpts(a: string, b: string): readonly [string, string] {
  if (a.length <= SHOWN && b.length <= SHOWN) return [a, b];
  let start = 0;
  while (start < Math.min(a.length, b.length) && a[start] === b[start]) start++;
  let end = 0;
  while (end < Math.min(a.length, b.length) - start && a.at(-1 - end) === b.at(-1 - end)) end++;
  const excerpt = (text: string) => {
    const from = Math.max(0, start - CONTEXT);
    const to = Math.min(text.length, text.length - end + CONTEXT);
    const part = text.slice(from, Math.min(to, from + 2 * SHOWN));
    return `${from > 0 ? "…" : ""}${part}${from + part.length < text.length ? "…" : ""}`;
  };
  return [excerpt(a), excerpt(b)];
}
