import type { IdFields } from "../core/ids.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { kindOfColumn } from "./generated-ids.ts";

/** The generated ids of an answer, or of several. */
export class AnswerIds {
  readonly #fields: IdFields;
  /** By kind: the last one. */
  readonly #ids: ReadonlyMap<string, Json>;

  constructor(fields: IdFields, ids: Iterable<readonly [string, Json]>) {
    this.#fields = fields;
    this.#ids = new Map(ids);
  }

  /** The id of the kind that a column has. */
  ofColumn(column: string): Json | undefined {
    return this.#ids.get(kindOfColumn(this.#fields, column));
  }

  /** These, and those of a later answer. */
  and(later: AnswerIds): AnswerIds {
    return new AnswerIds(this.#fields, [...this.#ids, ...later.#ids]);
  }
}

/** The ids in the body of an answer; of a list, those of its first item. */
export function answeredIds(body: Json, operation: string, fields: IdFields): AnswerIds {
  return new AnswerIds(fields, idsIn(body, operation, fields));
}

function idsIn(value: Json, of: string, fields: IdFields): (readonly [string, Json])[] {
  const item = Array.isArray(value) ? value[0] : value;
  if (typeof item !== "object" || item === null) return [];
  return Object.entries(item as JsonObject).flatMap(([field, member]) => {
    if (typeof member === "object") return idsIn(member, field, fields);
    const kind = fields[of]?.[field];
    return kind === undefined || member === null ? [] : [[kind, member] as const];
  });
}
