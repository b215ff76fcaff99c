import type { Json, JsonObject } from "./json.ts";

/** An operation in an order of whole operations. */
export type OrderedOperation = {
  /** From 0. */
  readonly client: number;
  readonly operation: string;
};

/** An answer that is another one than in a serial order: of an object the fields that differ. */
export type AnswerDifference = OrderedOperation & {
  readonly execution?: Json;
  readonly order?: Json;
  /** Absent where the code of the answer is the same. */
  readonly codes?: { readonly execution?: string; readonly order?: string };
};

/** A row that is another one than after a serial order, by the columns that differ, or that only one has. */
export type RowDifference = {
  /** With its schema: `public.items`. */
  readonly table: string;
  /** As the execution left it; as the order leaves it, where only the order has it. */
  readonly row: JsonObject;
} & (
  | { readonly execution: JsonObject; readonly order: JsonObject }
  | { readonly onlyIn: "execution" | "order" }
);

/** In what an execution differs from one serial order of its operations: generated ids are paired. */
export interface OrderDifference {
  readonly order: readonly OrderedOperation[];
  readonly answers: readonly AnswerDifference[];
  readonly rows: readonly RowDifference[];
}

/** In how many answers, fields of them, columns and rows an execution differs from the order. */
export function differenceCount({ answers, rows }: OrderDifference): number {
  const inAnswers = answers.map(
    ({ execution, order, codes }) =>
      (codes === undefined ? 0 : 1) + differingFields(execution, order).length,
  );
  const inRows = rows.map((row) =>
    "onlyIn" in row ? 1 : differingFields(row.execution, row.order).length,
  );
  return [...inAnswers, ...inRows].reduce((sum, count) => sum + count, 0);
}

/** The names of the fields; `undefined` for a difference that is not one of objects. */
export function differingFields(
  execution: Json | undefined,
  order: Json | undefined,
): readonly (string | undefined)[] {
  if (execution === undefined && order === undefined) return [];
  if (!isObject(execution) || !isObject(order)) return [undefined];
  return [...new Set([...Object.keys(execution), ...Object.keys(order)])];
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The tables in which an execution differs from the order. */
export function differingTables({ rows }: OrderDifference): readonly string[] {
  return [...new Set(rows.map(({ table }) => table))].sort();
}
