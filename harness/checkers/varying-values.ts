import type { Json } from "../core/json.ts";
import {
  isObject,
  isScalar,
  isTime,
  isUuid,
  shapeOf,
  tokensOf,
  type VolatileValue,
} from "../core/volatile-values.ts";

/** What stands for a value that differs between two executions, and does not look volatile. */
const VARYING = "⟨varying⟩";

/** Two executions, one right after the other, read times that are closer. */
const APART = 5 * 60_000;

const DAY = 24 * 3_600_000;

/** What is added before days are counted: a whole number of hours or days, some seconds ago, rounds as now. */
const ROUNDING = 0.37 * DAY;

/** Whether two values are times that differ by more than the clock does between two executions: chance chose them. */
export function areFarApart(left: Json, right: Json): boolean {
  if (typeof left !== "string" || typeof right !== "string") return false;
  return isTime(left) && isTime(right) && Math.abs(Date.parse(left) - Date.parse(right)) > APART;
}

/**
 * The UUIDs of an execution that another one of the same schedule has nowhere, and its times that the other one has only
 * a little earlier or later: wherever they stand, they are those of one execution alone.
 */
export function unrepeated(execution: unknown, other: unknown): readonly VolatileValue[] {
  const theirs = new Set(tokensOf(JSON.stringify(other)));
  const isMoment = (token: string) => isTime(token) && !Number.isNaN(Date.parse(token));
  const times = [...theirs].filter(isMoment);
  return [...new Set(tokensOf(JSON.stringify(execution)))].flatMap((token): VolatileValue[] => {
    if (theirs.has(token)) return [];
    if (isUuid(token)) return [{ kind: "uuid", value: token }];
    const hasOther = isMoment(token) && times.some((time) => !areFarApart(token, time));
    return hasOther ? [{ kind: "time", value: token }] : [];
  });
}

/**
 * A value whose placeholders for times say how many days these are from now, unless that is none. In each execution
 * the clock shows another time; but one that is 30 days ahead is not the same as one that is 60 days ahead.
 *
 * @param values those that the placeholders stand for, in the order of their numbers
 */
export function withDaysAhead<T>(value: T, values: readonly VolatileValue[], nowMs: number): T {
  const text = JSON.stringify(value);
  if (text === undefined) return value;
  const said = text.replace(/⟨time (\d+)⟩/g, (name, number: string) => {
    const ahead = Date.parse(values[Number(number) - 1]?.value ?? "") - nowMs;
    const days = Math.floor((ahead + ROUNDING) / DAY);
    return Number.isNaN(days) || days === 0 ? name : `${name} (${days} days ahead)`;
  });
  return JSON.parse(said) as T;
}

/**
 * Two values of the same place in two executions of one schedule, without the numbers and texts in which they
 * differ. These are replaced where they stand, and only there: a short number may mean something elsewhere. Rows
 * are paired by what they have in common.
 *
 * @param looksVolatile whether two different values may stand for each other because of their looks: they stay
 */
export function withoutVarying(
  left: Json,
  right: Json,
  looksVolatile: (left: Json, right: Json) => boolean,
): readonly [Json, Json] {
  const without = (a: Json, b: Json): readonly [Json, Json] => {
    if (isScalar(a) && isScalar(b)) {
      const stays = a === b || typeof a !== typeof b || looksVolatile(a, b);
      return stays ? [a, b] : [VARYING, VARYING];
    }
    if (Array.isArray(a) && Array.isArray(b)) {
      if (a.length !== b.length) return [a, b];
      const others = a.every(isObject) && b.every(isObject) ? pairedRows(a, b) : b;
      return unzipped(a.map((item, at) => without(item, others[at] ?? null)));
    }
    if (!isObject(a) || !isObject(b)) return [a, b];
    const names = Object.keys(a);
    if (names.length !== Object.keys(b).length || !names.every((name) => name in b)) return [a, b];
    const [mine, other] = unzipped(names.map((name) => without(a[name] ?? null, b[name] ?? null)));
    const named = (values: readonly Json[]) =>
      Object.fromEntries(names.map((name, at) => [name, values[at] ?? null]));
    return [named(mine), named(other)];
  };
  return without(left, right);
}

function unzipped(
  pairs: readonly (readonly [Json, Json])[],
): readonly [readonly Json[], readonly Json[]] {
  return [pairs.map(([a]) => a), pairs.map(([, b]) => b)];
}

/** The rows of the second list, each at the place of the equal one in the first; the others in order. */
function pairedRows(first: readonly Json[], second: readonly Json[]): readonly Json[] {
  const shape = (row: Json) => shapeOf(JSON.stringify(row));
  const left = [...second];
  const equal = first.map((row) => {
    const at = left.findIndex((other) => shape(other) === shape(row));
    return at < 0 ? undefined : left.splice(at, 1)[0];
  });
  return equal.map((row) => row ?? left.shift() ?? null);
}
