import type { Snapshot } from "../core/execution.ts";
import type { IdFields } from "../core/ids.ts";
import type { Json } from "../core/json.ts";
import { withoutPlaceholders } from "../core/volatile-values.ts";
import { isomorphic, type Row, type Sameness } from "./graph-isomorphism.ts";

/**
 * Pairs the generated ids of two executions (left and right) of one scenario. Ids of the initial state
 * are paired with themselves, every other id with one of the other side.
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

  /** The bijection of two executions that begin in the state `initial`. */
  static from(initial: Json, fields: IdFields): IdBijection {
    const same = new Map(idsIn(initial, "", fields).map((id) => [id, id]));
    return new IdBijection(fields, same, same);
  }

  /** Whether all ids of a value are paired. */
  knows(value: Json, of: string): boolean {
    return this.unpaired(value, of) === 0;
  }

  /** How many ids of a value are not paired. */
  unpaired(value: Json, of: string): number {
    return idsIn(value, of, this.#fields).filter((id) => !this.#right.has(id)).length;
  }

  /** The bijection extended so that `left` equals `right`; undefined if that is impossible. */
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

  /** Whether tables are equal under some pairing of the remaining ids; rows have no order. */
  compare(left: Snapshot, right: Snapshot): Sameness {
    const numbers = new Map([...this.#left.keys()].map((id, at) => [id, at + 1]));
    const side = (tables: Snapshot, named: (id: string) => string | undefined) => {
      const rows = Object.entries(tables).flatMap(([table, content]) => [
        { shape: JSON.stringify(table), ids: [] },
        ...content.map((row) => rowOf(row, table, this.#fields, JSON.stringify(table))),
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

/** The ids of a value, placeholders included, and its text without them, preceded by `name`. */
function rowOf(value: Json, of: string, fields: IdFields, name = ""): Row {
  const ids: string[] = [];
  const shape = (value: Json, of: string): string => {
    if (typeof value === "string") {
      return JSON.stringify(withoutPlaceholders(value, (name) => ids.push(name)));
    }
    if (typeof value !== "object" || value === null) return String(value);
    if (Array.isArray(value)) return `[${value.map((item: Json) => shape(item, of))}]`;
    const object = value as { readonly [field: string]: Json };
    const texts = Object.keys(object)
      .sort()
      .map((field) => {
        const member = object[field] ?? null;
        const kind = member === null ? undefined : fields[of]?.[field];
        if (kind === undefined) return `${JSON.stringify(field)}:${shape(member, field)}`;
        ids.push(`${kind} ${member}`);
        return `${JSON.stringify(field)}:id`;
      });
    return `{${texts}}`;
  };
  return { shape: name + shape(value, of), ids };
}
