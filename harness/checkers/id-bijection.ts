import type { Snapshot } from "../core/execution.ts";
import type { IdFields } from "../core/ids.ts";
import type { Json } from "../core/json.ts";
import { isomorphic, type Row, type Sameness } from "./graph-isomorphism.ts";

/**
 * Which generated id of one execution is which of another, where both began in the same state: the
 * ids of that state are themselves, each of the others stands for one of the other side.
 */
export class IdBijection {
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
  static from(initial: Json, fields: IdFields): IdBijection {
    const same = new Map(idsIn(initial, "", fields).map((id) => [id, id]));
    return new IdBijection(fields, same, same);
  }

  /** Whether a value has no ids but those that are paired already. */
  knows(value: Json, of: string): boolean {
    return idsIn(value, of, this.#fields).every((id) => this.#right.has(id));
  }

  /** With what has to be paired for `left` to be `right`; undefined if they are not equal so. */
  unified(left: Json, right: Json, of: string): IdBijection | undefined {
    const [mine, other] = [rowOf(left, of, this.#fields), rowOf(right, of, this.#fields)];
    if (mine.shape !== other.shape) return undefined;
    const [forth, back] = [new Map(this.#right), new Map(this.#left)];
    for (const [at, a] of mine.ids.entries()) {
      const b = other.ids[at] ?? a;
      if ((forth.get(a) ?? b) !== b || (back.get(b) ?? a) !== a) return undefined;
      forth.set(a, b);
      back.set(b, a);
    }
    return new IdBijection(this.#fields, forth, back);
  }

  /** Whether tables are the same once all ids are paired; rows have no order. */
  compare(left: Snapshot, right: Snapshot): Sameness {
    const numbers = new Map([...this.#left.keys()].map((id, at) => [id, at + 1]));
    const side = (tables: Snapshot, named: (id: string) => string | undefined) => {
      const rows = Object.entries(tables).flatMap(([table, its]) => [
        { shape: JSON.stringify(table), ids: [] },
        ...its.map((row) => rowOf(row, table, this.#fields, JSON.stringify(table))),
      ]);
      const colour = (id: string) => numbers.get(named(id) ?? "") ?? 0;
      const ids = rows.flatMap((row) => row.ids);
      return { rows, colours: new Map(ids.map((id) => [id, colour(id)])) };
    };
    return isomorphic(
      side(left, (id) => this.#right.get(id)),
      side(right, (id) => id),
    );
  }
}

function idsIn(value: Json, of: string, fields: IdFields): readonly string[] {
  return rowOf(value, of, fields).ids;
}

/** A value taken apart; `name` comes before its text. */
function rowOf(value: Json, of: string, fields: IdFields, name = ""): Row {
  const ids: string[] = [];
  const shape = (value: Json, of: string): string => {
    if (typeof value === "string") return JSON.stringify(value);
    if (typeof value !== "object" || value === null) return String(value);
    if (Array.isArray(value)) return `[${value.map((item: Json) => shape(item, of))}]`;
    const its = value as { readonly [field: string]: Json };
    const texts = Object.keys(its)
      .sort()
      .map((field) => {
        const it = its[field] ?? null;
        const kind = it === null ? undefined : fields[of]?.[field];
        if (kind === undefined) return `${JSON.stringify(field)}:${shape(it, field)}`;
        ids.push(`${kind} ${it}`);
        return `${JSON.stringify(field)}:id`;
      });
    return `{${texts}}`;
  };
  return { shape: name + shape(value, of), ids };
}
