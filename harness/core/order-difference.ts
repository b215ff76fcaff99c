import type { Json, JsonObject } from "./json.ts";

/** An operation in an order of whole operations. */
export type OrderedOperation = {
  /** From 0. */
  readonly client: number;
  readonly operation: string;
};

/** An answer, or one field of it, that is another one than in a serial order. */
export type AnswerDifference = OrderedOperation & {
  /** `code`, or a field of the body; absent for a body as a whole. */
  readonly field?: string;
  /** Absent where there is no such field. */
  readonly execution?: Json;
  readonly order?: Json;
};

/** A row that is another one than after a serial order: one column of it, or the row itself. */
export type RowDifference = {
  /** With its schema: `public.items`. */
  readonly table: string;
  /** As the execution left it; as the order leaves it, where only the order has it. */
  readonly row: JsonObject;
} & (
  | { readonly column: string; readonly execution: Json; readonly order: Json }
  | { readonly onlyIn: "execution" | "order" }
);

/** In what an execution differs from one serial order of its operations: generated ids are paired. */
export interface OrderDifference {
  readonly order: readonly OrderedOperation[];
  readonly answers: readonly AnswerDifference[];
  readonly rows: readonly RowDifference[];
}

/** In how many answers, columns and rows an execution differs from the order. */
export function differenceCount({ answers, rows }: OrderDifference): number {
  return answers.length + rows.length;
}

/** The tables in which an execution differs from the order. */
export function differingTables({ rows }: OrderDifference): readonly string[] {
  return [...new Set(rows.map(({ table }) => table))].sort();
}
