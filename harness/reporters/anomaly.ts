import type { Operation } from "../core/operation.ts";
import { clientOf, type Task } from "../core/schedule.ts";
import type { Trace } from "../core/trace.ts";
import { type Access, accessesOf } from "./accesses.ts";
import { printable } from "./printable.ts";

/** What the field calls it, as a reader can see it in the trace. */
interface Anomaly {
  readonly name: string;
  /** One sentence. */
  readonly explanation: string;
}

/** What one client did for one operation. */
interface Work {
  readonly client: number;
  readonly operation: Operation;
  succeeded: boolean;
  readonly accesses: Access[];
}

/**
 * The name of the anomaly that a counterexample shows, where one fits; an explanation, never a
 * verdict. It goes by what the texts of statements name, table by table, and so can be mistaken.
 * The names are those of Berenson et al., "A Critique of ANSI SQL Isolation Levels" (1995), with
 * operations in the place of transactions, and what practitioners call the rest.
 */
export function anomalyOf(trace: Trace): Anomaly | undefined {
  if (trace.some((event) => event.type === "result" && event.result.error?.sqlstate === "40P01")) {
    return { name: "deadlock", explanation: "Sessions waited for each other in a circle." };
  }
  const works = worksOf(trace);
  for (const find of [twice, lostUpdate, duplicateInsert, writeSkew, dirtyRead, secondLook]) {
    for (const one of works) {
      for (const other of works) {
        const found = one.client === other.client ? undefined : find(one, other);
        if (found !== undefined) return found;
      }
    }
  }
  return undefined;
}

/** `This looks like a lost update: …`, for reports; empty where no name fits. */
export function anomalyLine(trace: Trace): string {
  const anomaly = anomalyOf(trace);
  if (anomaly === undefined) return "";
  return printable(`This looks like ${anomaly.name}. ${anomaly.explanation}`);
}

/** Of the last table that one read before the other changed it, and changed after that: both changes. */
function overwrites(one: Work, other: Work) {
  for (const { kind, table, at, locks } of one.accesses.toReversed()) {
    if (kind !== "read" || locks) continue;
    const theirs = other.accesses.find((it) => changes(it, table) && it.at > at);
    const own = theirs && one.accesses.find((it) => changes(it, table) && it.at > theirs.at);
    if (own !== undefined) return { table, theirs, own };
  }
  return undefined;
}

function changes({ kind, table }: Access, wanted: string): boolean {
  return kind === "change" && table === wanted;
}

function twice(one: Work, other: Work): Anomaly | undefined {
  const { table } = overwrites(one, other) ?? {};
  if (table === undefined || !one.succeeded || !other.succeeded) return undefined;
  if (asked(one.operation) !== asked(other.operation)) return undefined;
  return {
    name: "double-processing",
    explanation: `Clients ${one.client} and ${other.client} both carried out the same ${one.operation.name}: each found ${table} as it was before the other.`,
  };
}

/** What a operation is about, whichever way and from whomever it comes. */
function asked({ via: _, by: __, ...operation }: Operation): string {
  return JSON.stringify(operation);
}

/** Of two changes to different columns none is lost; but the later one may not know of the earlier. */
function lostUpdate(one: Work, other: Work): Anomaly | undefined {
  const found = overwrites(one, other);
  if (found === undefined) return undefined;
  const { table, theirs, own } = found;
  const order = `Client ${one.client} read ${table}, client ${other.client} changed it, and client ${one.client}`;
  const both = (columns: readonly string[]) => columns.some((it) => theirs?.columns?.includes(it));
  return theirs?.columns === undefined || own.columns === undefined || both(own.columns)
    ? { name: "lost update", explanation: `${order} changed it by what it had read.` }
    : {
        name: "stale read",
        explanation: `${order} changed other columns of it, by what it had read.`,
      };
}

function duplicateInsert(one: Work, other: Work): Anomaly | undefined {
  const table = one.accesses.find(({ kind, table }) => {
    if (kind !== "insert") return false;
    return misses(one, other, table, "insert") && misses(other, one, table, "insert");
  })?.table;
  if (table === undefined) return undefined;
  return {
    name: "duplicate insert",
    explanation: `Clients ${one.client} and ${other.client} both looked into ${table} before either had inserted, and both inserted.`,
  };
}

/** Whether `reader` looked into a table before `writer` wrote there. */
function misses(reader: Work, writer: Work, table: string, kind: Access["kind"]): boolean {
  return reader.accesses.some(
    (read) =>
      read.kind === "read" &&
      read.table === table &&
      writer.accesses.some((it) => it.kind === kind && it.table === table && it.at > read.at),
  );
}

function writeSkew(one: Work, other: Work): Anomaly | undefined {
  const read = (work: Work) => work.accesses.filter(({ kind }) => kind === "read");
  for (const { table: mine } of read(one)) {
    for (const { table: theirs } of read(other)) {
      const missed = (reader: Work, writer: Work, table: string) =>
        misses(reader, writer, table, "change") || misses(reader, writer, table, "insert");
      if (mine !== theirs && missed(one, other, mine) && missed(other, one, theirs)) {
        return {
          name: "write skew",
          explanation: `Client ${one.client} read ${mine} before client ${other.client} wrote it, and client ${other.client} read ${theirs} before client ${one.client} wrote that.`,
        };
      }
    }
  }
  return undefined;
}

function dirtyRead(one: Work, other: Work): Anomaly | undefined {
  const writes = other.accesses.filter(({ kind }) => kind !== "read");
  const seen = one.accesses.find(
    (read) =>
      read.kind === "read" &&
      writes.some(
        (early) =>
          early.table === read.table &&
          early.at < read.at &&
          writes.some((late) => late.at > read.at && late.transaction > early.transaction),
      ),
  );
  if (seen === undefined) return undefined;
  return {
    name: "dirty read",
    explanation: `Client ${one.client} read ${seen.table} when client ${other.client} had committed one part of its ${other.operation.name}, and not yet another.`,
  };
}

function secondLook(one: Work, other: Work): Anomaly | undefined {
  const reads = one.accesses.filter(({ kind }) => kind === "read");
  for (const { kind, table, at } of other.accesses) {
    const looks = reads.filter((it) => it.table === table);
    if (kind === "read" || !looks.some((it) => it.at < at) || !looks.some((it) => it.at > at)) {
      continue;
    }
    const did = kind === "insert" ? "inserted into it" : "changed it";
    return {
      name: kind === "insert" ? "phantom" : "non-repeatable read",
      explanation: `Client ${one.client} read ${table} twice, and client ${other.client} ${did} in between.`,
    };
  }
  return undefined;
}

/** What each operation did, in order. What was rolled back is left out. */
function worksOf(trace: Trace): readonly Work[] {
  const works: Work[] = [];
  const current = new Map<number, Work>();
  const tasks = new Map<Task, { sql: string; released: number; transaction: number }>();
  const taskAt = (task: Task) => {
    const known = tasks.get(task) ?? { sql: "", released: 0, transaction: 0 };
    tasks.set(task, known);
    return known;
  };
  const done = (task: Task, at: number): void => {
    const { sql, released, transaction } = taskAt(task);
    const accesses = accessesOf(sql, released, at).map((it) => ({ ...it, transaction }));
    current.get(clientOf(task))?.accesses.push(...accesses);
  };
  trace.forEach((event, at) => {
    if (event.type === "invoke") {
      const { client, operation } = event;
      const work = { client, operation, succeeded: false, accesses: [] };
      current.set(client, work);
      works.push(work);
    } else if (event.type === "return") {
      const work = current.get(event.client);
      if (work !== undefined) work.succeeded = event.response.outcome === "ok";
    } else if (event.type === "move") taskAt(event.choice.task).released = at;
    else if (event.type === "statement") taskAt(event.task).sql = event.statement.sql;
    else if (event.type === "gate" && event.place.line !== null) {
      done(event.task, at);
      taskAt(event.task).sql = event.place.next;
    } else if (event.type === "result") {
      const task = taskAt(event.task);
      const work = current.get(clientOf(event.task));
      if (event.result.error === undefined) done(event.task, at);
      else replace(work, task.transaction, () => []);
      task.sql = "";
      if (event.result.transaction !== "idle") return;
      // Nobody else has seen what was written until now.
      replace(work, task.transaction, (it) => (it.kind === "read" ? [it] : [{ ...it, at }]));
      task.transaction++;
    }
  });
  return works;
}

/** Puts others in the place of the accesses of a transaction. */
function replace(
  work: Work | undefined,
  transaction: number,
  others: (access: Access) => readonly Access[],
): void {
  const all = work?.accesses.flatMap((it) => (it.transaction === transaction ? others(it) : [it]));
  work?.accesses.splice(0, work.accesses.length, ...(all ?? []));
}
