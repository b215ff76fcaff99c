import type { Operation } from "../core/operation.ts";
import { clientOf, type Task } from "../core/schedule.ts";
import type { Statement, Trace } from "../core/trace.ts";
import { capitalized, printable } from "./format-values.ts";
import { type Access, accessesOf } from "./sql-accesses.ts";
import { type ClientNames, sqlLine, taskName, taskNames } from "./trace-lines.ts";

interface Anomaly {
  readonly name: string;
  /** One sentence. */
  readonly explanation: string;
}

/** An operation with its accesses. */
interface OperationAccesses {
  readonly client: number;
  readonly operation: Operation;
  succeeded: boolean;
  readonly accesses: Access[];
}

/**
 * The name of the anomaly that a trace shows, if one fits. The name explains a counterexample and
 * decides nothing: it follows from the tables that the texts of statements name, and can be wrong.
 * Names are those of Berenson et al., "A Critique of ANSI SQL Isolation Levels" (1995), applied to
 * operations instead of transactions, and common names for what the paper does not cover.
 */
export function anomalyOf(trace: Trace, names: ClientNames = []): Anomaly | undefined {
  const deadlock = deadlockOf(trace, names);
  if (deadlock !== undefined) return deadlock;
  const operations = operationAccesses(trace).map((operation) => ({
    ...operation,
    name: names[operation.client] ?? String(operation.client),
  }));
  for (const find of DETECTORS) {
    for (const one of operations) {
      for (const other of operations) {
        const anomaly = one.client === other.client ? undefined : find(one, other);
        if (anomaly !== undefined) return anomaly;
      }
    }
  }
  return undefined;
}

/** The deadlock of a trace, with what each client in it waited for. */
function deadlockOf(trace: Trace, names: ClientNames): Anomaly | undefined {
  const end = trace.findIndex(
    (event) => event.type === "result" && event.result.error?.sqlstate === "40P01",
  );
  const failed = trace[end];
  if (failed?.type !== "result") return undefined;
  const cycle = "Transactions waited for each other in a cycle.";
  // The wait that closes the cycle ends at once, and has no event of its own.
  const before = trace.slice(0, end);
  const waiting = new Map<Task, string>();
  for (const event of before) {
    if (event.type === "wait") waiting.set(event.task, taskNames(event.for, names));
    else if (event.type === "result") waiting.delete(event.task);
  }
  const others = [...waiting.keys()].filter((task) => task !== failed.task);
  const waits = [
    ...[...waiting].map(([task, holders]) => waitSentence(before, task, names, holders)),
    ...(waiting.has(failed.task)
      ? []
      : [waitSentence(before, failed.task, names, taskNames(others, names))]),
  ];
  const { locks } = failed.result.error ?? {};
  const server = locks === undefined ? "" : ` PostgreSQL reports: ${locks}.`;
  const explanation = [cycle, ...waits.filter((wait) => wait !== "")].join(" ") + server;
  return { name: "deadlock", explanation };
}

/** `Client 0 waited for client 1 to release rows of t, in: update t set …`. */
function waitSentence(before: Trace, task: Task, names: ClientNames, holders: string): string {
  const sql = before.reduce((text, event) => {
    if (event.type === "statement" && event.task === task) return event.statement.sql;
    return event.type === "gate" && event.task === task ? event.place.next : text;
  }, "");
  if (sql === "" || holders === "") return "";
  const tables = accessesOf({ sql, values: [] }, 0, 0).filter(
    ({ kind, locks }) => kind !== "read" || locks,
  );
  const [first] = tables;
  const what = first === undefined ? "" : ` to release a row of ${first.table}`;
  return `${capitalized(taskName(task, names))} waited for ${holders}${what}, in: ${oneLine(sql)}.`;
}

function oneLine(sql: string): string {
  return sqlLine(sql).replace(/[;.]$/, "");
}

/** The names of anomalies without an article. */
const UNCOUNTED: readonly string[] = ["double-processing", "write skew"];

/** `This looks like a lost update. …`; undefined if no name fits. */
export function anomalySentence(trace: Trace, names?: ClientNames): string | undefined {
  const anomaly = anomalyOf(trace, names);
  if (anomaly === undefined) return undefined;
  const { name, explanation } = anomaly;
  const article = UNCOUNTED.includes(name) ? "" : "a ";
  return printable(`This looks like ${article}${name}. ${explanation}`);
}

/** The accesses of an operation, with the name or the number of its client. */
type NamedAccesses = OperationAccesses & { readonly name: string };

type Detector = (one: NamedAccesses, other: NamedAccesses) => Anomaly | undefined;

/** In the order of precedence: a specific anomaly before those that it includes. */
const DETECTORS: readonly Detector[] = [
  doubleProcessing,
  lostUpdate,
  duplicateInsert,
  writeSkew,
  dirtyRead,
  repeatedRead,
];

/**
 * The last table that `one` read before `other` changed it and that `one` changed afterwards; with
 * both changes.
 */
function overwrittenTable(one: OperationAccesses, other: OperationAccesses) {
  for (const { kind, table, at, locks } of one.accesses.toReversed()) {
    if (kind !== "read" || locks) continue;
    const first = other.accesses.find((it) => isChange(it, table) && it.at > at);
    const second = first && one.accesses.find((it) => isChange(it, table) && it.at > first.at);
    if (second !== undefined) return { table, first, second };
  }
  return undefined;
}

function isChange(access: Access, table: string): boolean {
  return access.kind === "change" && access.table === table;
}

function doubleProcessing(one: NamedAccesses, other: NamedAccesses): Anomaly | undefined {
  const { table } = overwrittenTable(one, other) ?? {};
  if (table === undefined || !one.succeeded || !other.succeeded) return undefined;
  if (requestOf(one.operation) !== requestOf(other.operation)) return undefined;
  return {
    name: "double-processing",
    explanation: `Clients ${one.name} and ${other.name} both processed the same ${one.operation.name}: each read ${table} before the other changed it.`,
  };
}

/** An operation without its requester and the way it was sent. */
function requestOf({ via: _, by: __, ...operation }: Operation): string {
  return JSON.stringify(operation);
}

/**
 * If the changes are to different columns, or the second adjusts the value that it finds (`n = n - 1`),
 * none is lost, but the decision to change relies on a stale read.
 */
function lostUpdate(one: NamedAccesses, other: NamedAccesses): Anomaly | undefined {
  const overwritten = overwrittenTable(one, other);
  if (overwritten === undefined) return undefined;
  const { table, first, second } = overwritten;
  const order = `Client ${one.name} read ${table}, client ${other.name} changed it, and client ${one.name} then changed`;
  const name = "decision on a stale read";
  const shared = second.columns?.filter((it) => first?.columns?.includes(it) ?? true);
  if (shared === undefined) {
    return { name: "lost update", explanation: `${order} it based on the old value.` };
  }
  if (shared.length === 0) {
    return { name, explanation: `${order} other columns of it, based on the old value.` };
  }
  return shared.every((column) => second.adjusted?.includes(column))
    ? {
        name,
        explanation: `${order} it too. Nothing is overwritten, but client ${one.name} had decided on the old value.`,
      }
    : { name: "lost update", explanation: `${order} it based on the old value.` };
}

function duplicateInsert(one: NamedAccesses, other: NamedAccesses): Anomaly | undefined {
  const table = one.accesses.find(
    ({ kind, table }) =>
      kind === "insert" &&
      readsBefore(one, other, table, "insert") &&
      readsBefore(other, one, table, "insert") &&
      insertsSameKey(one, other, table),
  )?.table;
  if (table === undefined) return undefined;
  return {
    name: "duplicate insert",
    explanation: `Clients ${one.name} and ${other.name} both read ${table} before the other's insert, and both inserted.`,
  };
}

/**
 * Whether both operations insert the value that both have looked for; where they compared with no
 * value, whether they insert equal rows.
 */
function insertsSameKey(one: OperationAccesses, other: OperationAccesses, table: string): boolean {
  const rowsOf = ({ accesses }: OperationAccesses, kind: Access["kind"]) =>
    accesses.flatMap((it) => (it.kind === kind && it.table === table && it.row ? [it.row] : []));
  const looked = rowsOf(one, "read").flatMap((row) => [...row]);
  const lookedToo = rowsOf(other, "read").flatMap((row) => [...row]);
  return rowsOf(one, "insert").some((mine) =>
    rowsOf(other, "insert").some((theirs) => {
      if (looked.length + lookedToo.length === 0) {
        return [...mine].every(([column, value]) => theirs.get(column) === value);
      }
      const has = (row: ReadonlyMap<string, string>, column: string, value: string) =>
        row.has(column) ? row.get(column) === value : [...row.values()].includes(value);
      return looked.some(
        ([column, value]) =>
          lookedToo.some(([same, equal]) => same === column && equal === value) &&
          has(mine, column, value) &&
          has(theirs, column, value),
      );
    }),
  );
}

/** Whether `reader` reads a table before `writer` writes it. */
function readsBefore(
  reader: OperationAccesses,
  writer: OperationAccesses,
  table: string,
  kind: Access["kind"],
): boolean {
  return reader.accesses.some(
    (read) =>
      read.kind === "read" &&
      read.table === table &&
      writer.accesses.some((it) => it.kind === kind && it.table === table && it.at > read.at),
  );
}

function writeSkew(one: NamedAccesses, other: NamedAccesses): Anomaly | undefined {
  const tablesRead = ({ accesses }: OperationAccesses) =>
    accesses.flatMap(({ kind, table }) => (kind === "read" ? table : []));
  const misses = (reader: OperationAccesses, writer: OperationAccesses, table: string) =>
    readsBefore(reader, writer, table, "change") || readsBefore(reader, writer, table, "insert");
  for (const first of tablesRead(one)) {
    for (const second of tablesRead(other)) {
      if (first !== second && misses(one, other, first) && misses(other, one, second)) {
        return {
          name: "write skew",
          explanation: `Client ${one.name} read ${first} before client ${other.name} wrote it, and client ${other.name} read ${second} before client ${one.name} wrote it.`,
        };
      }
    }
  }
  return undefined;
}

function dirtyRead(one: NamedAccesses, other: NamedAccesses): Anomaly | undefined {
  const writes = other.accesses.filter(({ kind }) => kind !== "read");
  const read = one.accesses.find(
    ({ kind, table, at }) =>
      kind === "read" &&
      writes.some(
        (early) =>
          early.table === table &&
          early.at < at &&
          writes.some((late) => late.at > at && late.transaction > early.transaction),
      ),
  );
  if (read === undefined) return undefined;
  return {
    name: "dirty read",
    explanation: `Client ${one.name} read ${read.table} after client ${other.name} had committed one transaction of its ${other.operation.name} and before it committed the next.`,
  };
}

function repeatedRead(one: NamedAccesses, other: NamedAccesses): Anomaly | undefined {
  const reads = one.accesses.filter(({ kind }) => kind === "read");
  for (const { kind, table, at } of other.accesses) {
    const sameTable = reads.filter((read) => read.table === table);
    const before = sameTable.some((read) => read.at < at);
    const after = sameTable.some((read) => read.at > at);
    if (kind === "read" || !before || !after) continue;
    const inserted = kind === "insert";
    return {
      name: inserted ? "phantom" : "non-repeatable read",
      explanation: `Client ${one.name} read ${table} twice, and client ${other.name} ${inserted ? "inserted into it" : "changed it"} in between.`,
    };
  }
  return undefined;
}

/** The accesses of each operation, in the order of the trace, without those that were rolled back. */
function operationAccesses(trace: Trace): readonly OperationAccesses[] {
  const operations: OperationAccesses[] = [];
  const current = new Map<number, OperationAccesses>();
  const tasks = new Map<
    Task,
    { sql: string; values: Statement["values"]; released: number; transaction: number }
  >();
  const stateOf = (task: Task) => {
    const state = tasks.get(task) ?? { sql: "", values: [], released: 0, transaction: 0 };
    tasks.set(task, state);
    return state;
  };
  const addAccesses = (task: Task, at: number): void => {
    const { sql, values, released, transaction } = stateOf(task);
    const accesses = accessesOf({ sql, values }, released, at).map((it) => ({
      ...it,
      transaction,
    }));
    current.get(clientOf(task))?.accesses.push(...accesses);
  };
  trace.forEach((event, at) => {
    if (event.type === "invoke") {
      const { client, operation } = event;
      const started = { client, operation, succeeded: false, accesses: [] };
      current.set(client, started);
      operations.push(started);
    } else if (event.type === "return") {
      const operation = current.get(event.client);
      if (operation !== undefined) operation.succeeded = event.response.outcome === "ok";
    } else if (event.type === "move") stateOf(event.choice.task).released = at;
    else if (event.type === "statement") Object.assign(stateOf(event.task), event.statement);
    else if (event.type === "gate" && event.place.line !== null) {
      addAccesses(event.task, at);
      Object.assign(stateOf(event.task), { sql: event.place.next, values: [] });
    } else if (event.type === "result") {
      const state = stateOf(event.task);
      const operation = current.get(clientOf(event.task));
      if (event.result.error === undefined) addAccesses(event.task, at);
      else replaceAccesses(operation, state.transaction, () => []);
      state.sql = "";
      if (event.result.transaction !== "idle") return;
      // Other transactions see a write when its transaction commits.
      replaceAccesses(operation, state.transaction, (it) =>
        it.kind === "read" ? [it] : [{ ...it, at }],
      );
      state.transaction++;
    }
  });
  return operations;
}

/** Replaces each access of a transaction. */
function replaceAccesses(
  operation: OperationAccesses | undefined,
  transaction: number,
  replacement: (access: Access) => readonly Access[],
): void {
  const accesses = operation?.accesses.flatMap((it) =>
    it.transaction === transaction ? replacement(it) : [it],
  );
  operation?.accesses.splice(0, operation.accesses.length, ...(accesses ?? []));
}
