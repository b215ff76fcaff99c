import type { Json, JsonObject } from "../core/json.ts";
import {
  type AnswerDifference,
  differenceCount,
  differingFields,
  type RowDifference,
} from "../core/order-difference.ts";
import type { Violation } from "../core/verdict.ts";
import { printable, quantity } from "./format-values.ts";
import { fieldsLine } from "./trace-lines.ts";

/** What one serial order would have given instead. */
export interface OrderText {
  /** `The nearest order, 0: order, then 1: restock, would differ in 2 places:`. */
  readonly title: string;
  readonly lines: readonly string[];
}

/** How an execution that no serial order explains differs from each order; nothing for any other violation. */
export function orderTexts({ orders = [] }: Pick<Violation, "orders">): readonly OrderText[] {
  return orders.map((order, at) => {
    const operations = order.order.map(({ client, operation }) => `${client}: ${operation}`);
    const which = at === 0 && orders.length > 1 ? "The nearest order" : "The order";
    const places = quantity(differenceCount(order), "place");
    return {
      title: printable(`${which}, ${operations.join(", then ")}, would differ in ${places}:`),
      lines: [...order.rows.flatMap(rowLines), ...order.answers.flatMap(answerLines)],
    };
  });
}

function rowLines(difference: RowDifference): readonly string[] {
  const { table, row } = difference;
  if ("onlyIn" in difference) {
    const what = difference.onlyIn === "order" ? "it would also have" : "it would not have";
    return [`${printable(table)}: ${what} ${fieldsLine(row)}`];
  }
  const same = Object.entries(row).filter(([column]) => !(column in difference.execution));
  return changeLines(difference).map(
    (change) => `${printable(table)}: ${change}, where ${fieldsLine(Object.fromEntries(same))}`,
  );
}

function answerLines(difference: AnswerDifference): readonly string[] {
  const { client, operation, codes } = difference;
  const changes = [
    ...(codes === undefined ? [] : [`the code would be ${insteadOf(codes)}`]),
    ...changeLines(difference),
  ];
  return changes.map((change) => `client ${client}'s ${printable(operation)}: ${change}`);
}

interface Values {
  readonly execution?: Json;
  readonly order?: Json;
}

function changeLines({ execution, order }: Values): readonly string[] {
  return differingFields(execution, order).map((field) =>
    field === undefined
      ? `the answer would be ${valueText(order)} in place of ${valueText(execution)}`
      : `${printable(field)} would be ${insteadOf(valuesOf(field, execution, order))}`,
  );
}

function valuesOf(field: string, execution: Json | undefined, order: Json | undefined): Values {
  const [mine, other] = [execution as JsonObject, order as JsonObject];
  return {
    ...(field in mine && { execution: mine[field] ?? null }),
    ...(field in other && { order: other[field] ?? null }),
  };
}

function insteadOf({ execution, order }: Values): string {
  return `${valueText(order)} in place of ${valueText(execution)}`;
}

function valueText(value: Json | undefined): string {
  return value === undefined ? "nothing" : printable(JSON.stringify(value));
}
