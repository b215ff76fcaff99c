import type { Json } from "../core/json.ts";
import { isObject, isScalar, shapeOf } from "../core/volatile-values.ts";

/** What stands for a value that differs between two executions, and does not look volatile. */
const VARYING = "⟨varying⟩";

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
