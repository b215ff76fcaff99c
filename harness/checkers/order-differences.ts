import type { Snapshot } from "../core/execution.ts";
import type { Call, Response } from "../core/history.ts";
import type { Json, JsonObject } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import {
  type AnswerDifference,
  differenceCount,
  type OrderDifference,
  type RowDifference,
} from "../core/order-difference.ts";
import type { IdBijection } from "./id-bijection.ts";
import { type SerialOrder, type SerialOutcome, sameResponse } from "./serial-orders.ts";

/** The result of an execution that no serial order has. */
export interface UnexplainedResult<Op extends Operation> {
  readonly calls: readonly Call<Op>[];
  readonly contents: Snapshot;
  /** The ids of the initial state. */
  readonly bijection: IdBijection;
}

/** The result of one serial order. */
export type OrderOutcome = SerialOutcome & { readonly order: SerialOrder };

/** The most orders that are listed. */
const MOST_ORDERS = 6;

/** How many ids of a row may get their pair by it, in each round. */
const UNPAIRED = [0, 1, 1, Number.POSITIVE_INFINITY];

/** The most rows of a table that are compared with each other, once those that are equal are left out. */
const MOST_ROWS = 100;

/** The most differences that are listed for each order. */
const MOST_DIFFERENCES = 20;

/**
 * How a result differs from that of each order, the nearest order first: the one with the fewest answers,
 * columns and rows that differ. Generated ids are paired by the answers and by rows that are otherwise equal.
 */
export function differencesOf<Op extends Operation>(
  result: UnexplainedResult<Op>,
  orders: readonly OrderOutcome[],
): readonly OrderDifference[] {
  return orders
    .map((order) => differenceFrom(result, order))
    .sort((a, b) => differenceCount(a) - differenceCount(b))
    .slice(0, MOST_ORDERS)
    .map(({ order, answers, rows }) => ({
      order,
      answers: answers.slice(0, MOST_DIFFERENCES),
      rows: rows.slice(0, MOST_DIFFERENCES),
    }));
}

function differenceFrom<Op extends Operation>(
  { calls, contents, bijection: initial }: UnexplainedResult<Op>,
  { order, responses, contents: others = {} }: OrderOutcome,
): OrderDifference {
  const positions = new Map<number, number>();
  const ordered = order.flatMap((client, at) => {
    const index = positions.get(client) ?? 0;
    positions.set(client, index + 1);
    const call = calls.find((one) => one.client === client && one.index === index);
    return call === undefined ? [] : [{ call, other: responses[at] }];
  });
  let bijection = initial;
  const different: typeof ordered = [];
  for (const one of ordered) {
    const { call, other } = one;
    const same = other && sameResponse(bijection, call.response, other, call.operation.name);
    if (same === undefined) different.push(one);
    else bijection = same;
  }
  const tables = [...new Set([...Object.keys(contents), ...Object.keys(others)])].sort();
  const matched = matchRows(
    tables.map((table) => ({ table, mine: contents[table] ?? [], others: others[table] ?? [] })),
    bijection,
  );
  return {
    order: ordered.map(({ call: { client, operation } }) => ({
      client,
      operation: operation.name,
    })),
    answers: different.map(({ call, other }) => answerDifference(call, other, matched.bijection)),
    rows: matched.left.flatMap((table) => rowDifferences(table, matched.bijection)),
  };
}

/** Whether the codes differ, and the fields of the bodies that do. */
function answerDifference(
  { client, operation: { name: operation }, response }: Call,
  other: Response | undefined,
  bijection: IdBijection,
): AnswerDifference {
  const [mine, body] = [response?.body ?? null, other?.body ?? null];
  const codes = response?.code !== other?.code && {
    ...(response && { execution: response.code }),
    ...(other && { order: other.code }),
  };
  const bodies = () => {
    if (bijection.unified(mine, body, operation) !== undefined) return {};
    if (!isRow(mine) || !isRow(body)) return { execution: mine, order: body };
    const fields = fieldsThatDiffer(mine, body, operation, bijection);
    return { execution: partOf(mine, fields), order: partOf(body, fields) };
  };
  return { ...{ client, operation }, ...(codes && { codes }), ...bodies() };
}

function isRow(value: Json): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The rows of a table: those of the execution, and those of an order. */
interface TableRows {
  readonly table: string;
  readonly mine: readonly JsonObject[];
  readonly others: readonly JsonObject[];
}

/**
 * Takes out what is equal: first rows with the same text, of which most tables have most; then rows whose ids
 * are all paired; then those that pair further ids, so that rows are paired before the rows that refer to them.
 */
function matchRows(
  tables: readonly TableRows[],
  initial: IdBijection,
): { readonly left: readonly TableRows[]; readonly bijection: IdBijection } {
  let bijection = initial;
  let left = tables.map((table) => withoutEqual(table, initial));
  for (const most of UNPAIRED) {
    left = left.map(({ table, mine, others }) => {
      const remaining = [...others];
      const unmatched = mine.filter((row) => {
        if (bijection.unpaired(row, table) > most) return true;
        for (const [at, other] of remaining.entries()) {
          const same = bijection.unified(row, other, table);
          if (same === undefined) continue;
          bijection = same;
          remaining.splice(at, 1);
          return false;
        }
        return true;
      });
      return { table, mine: unmatched, others: remaining };
    });
  }
  return { left, bijection };
}

function withoutEqual({ table, mine, others }: TableRows, bijection: IdBijection): TableRows {
  const counts = new Map<string, number>();
  for (const other of others) {
    const text = JSON.stringify(other);
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  const taken = new Map<string, number>();
  const remaining = mine.filter((row) => {
    const text = JSON.stringify(row);
    const count = taken.get(text) ?? 0;
    if (count >= (counts.get(text) ?? 0)) return true;
    if (bijection.unified(row, row, table) === undefined || !bijection.knows(row, table))
      return true;
    taken.set(text, count + 1);
    return false;
  });
  const left = others.filter((other) => {
    const text = JSON.stringify(other);
    const count = taken.get(text) ?? 0;
    if (count > 0) taken.set(text, count - 1);
    return count === 0;
  });
  return { table, mine: remaining.slice(0, MOST_ROWS), others: left.slice(0, MOST_ROWS) };
}

/** Rows that have most columns in common are one and the same row, which has changed. */
function rowDifferences(
  { table, mine, others }: TableRows,
  bijection: IdBijection,
): readonly RowDifference[] {
  const left = [...others];
  const changed = mine.map((row): RowDifference => {
    const [nearest] = left
      .map((other, at) => ({ other, at, fields: fieldsThatDiffer(row, other, table, bijection) }))
      .sort((a, b) => a.fields.length - b.fields.length);
    if (nearest === undefined || 2 * nearest.fields.length > Object.keys(row).length) {
      return { table, row, onlyIn: "execution" };
    }
    left.splice(nearest.at, 1);
    const { fields, other } = nearest;
    return { table, row, execution: partOf(row, fields), order: partOf(other, fields) };
  });
  return [...changed, ...left.map((row) => ({ table, row, onlyIn: "order" as const }))];
}

/** The fields that differ, each for itself; ids that are paired otherwise differ too. */
function fieldsThatDiffer(
  mine: JsonObject,
  other: JsonObject,
  of: string,
  bijection: IdBijection,
): readonly string[] {
  const fields = [...new Set([...Object.keys(mine), ...Object.keys(other)])];
  return fields.filter(
    (field) => bijection.unified(partOf(mine, [field]), partOf(other, [field]), of) === undefined,
  );
}

function partOf(row: JsonObject, fields: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(row).filter(([field]) => fields.includes(field)));
}
