import type { Snapshot } from "../core/execution.ts";
import type { IdFields } from "../core/ids.ts";
import type { Json } from "../core/json.ts";

type Pair = readonly [left: string, right: string];

/**
 * Which generated id of one execution is which of another, where both began in the same state: the
 * ids of that state are themselves, each of the others stands for one of the other side.
 */
export class Renaming {
  readonly #fields: IdFields;
  readonly #right: ReadonlyMap<string, string>;
  readonly #left: ReadonlyMap<string, string>;

  private constructor(
    fields: IdFields,
    right: ReadonlyMap<string, string>,
    left: ReadonlyMap<string, string>,
  ) {
    this.#fields = fields;
    this.#right = right;
    this.#left = left;
  }

  /** Of executions that began in the state `initial`. */
  static from(initial: Json, fields: IdFields): Renaming {
    const same = new Map(idsIn(initial, "", fields).map((id) => [id, id]));
    return new Renaming(fields, same, same);
  }

  /** Whether a value has no ids but those that are paired already. */
  knows(value: Json, of: string): boolean {
    return idsIn(value, of, this.#fields).every((id) => this.#right.has(id));
  }

  /** With what has to be paired for `left` to be `right`; undefined if they are not equal so. */
  unified(left: Json, right: Json, of: string): Renaming | undefined {
    const pairs: Pair[] = [];
    if (!equalButIds(left, right, of, this.#fields, pairs)) return undefined;
    const [forth, back] = [new Map(this.#right), new Map(this.#left)];
    for (const [a, b] of pairs) {
      if ((forth.get(a) ?? b) !== b || (back.get(b) ?? a) !== a) return undefined;
      forth.set(a, b);
      back.set(b, a);
    }
    return new Renaming(this.#fields, forth, back);
  }

  /** The same for all tables; rows have no order. */
  unifiedTables(left: Snapshot, right: Snapshot): Renaming | undefined {
    const tables = Object.keys(left);
    if (tables.length !== Object.keys(right).length) return undefined;
    let renaming: Renaming | undefined = this;
    for (const table of tables) {
      const rows = [...(right[table] ?? [])];
      if (left[table]?.length !== rows.length) return undefined;
      for (const row of left[table] ?? []) {
        const before: Renaming = renaming;
        const at = rows.findIndex((other) => before.unified(row, other, table) !== undefined);
        const found = rows[at];
        renaming = found && before.unified(row, found, table);
        if (renaming === undefined) return undefined;
        rows.splice(at, 1);
      }
    }
    return renaming;
  }
}

function idsIn(value: Json, of: string, fields: IdFields): readonly string[] {
  if (typeof value !== "object" || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((item: Json) => idsIn(item, of, fields));
  return Object.entries(value).flatMap(([field, its]) => {
    const kind = fields[of]?.[field];
    return kind === undefined || its === null ? idsIn(its, field, fields) : [`${kind} ${its}`];
  });
}

/** Collects in `pairs` the ids that have to be one another. */
function equalButIds(
  left: Json,
  right: Json,
  of: string,
  fields: IdFields,
  pairs: Pair[],
): boolean {
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) {
    return left === right;
  }
  if (Array.isArray(left) !== Array.isArray(right)) return false;
  const [a, b] = [left, right] as readonly { readonly [field: string]: Json }[];
  const names = Object.keys(left);
  if (a === undefined || b === undefined || names.length !== Object.keys(right).length)
    return false;
  return names.every((field) => {
    const [mine, other] = [a[field], b[field]];
    if (mine === undefined || other === undefined) return false;
    const kind = fields[of]?.[field];
    if (kind === undefined || mine === null || other === null) {
      return equalButIds(mine, other, Array.isArray(left) ? of : field, fields, pairs);
    }
    pairs.push([`${kind} ${mine}`, `${kind} ${other}`]);
    return true;
  });
}
