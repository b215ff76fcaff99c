/*
 * The values of a trace, each on one line.
 */
import { FAULTS, type Fault } from "../core/fault.ts";
import type { Response } from "../core/history.ts";
import type { JsonObject } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import { BACKGROUND, clientOf, type Task } from "../core/schedule.ts";
import type { Place, Result, Statement } from "../core/trace.ts";
import { beginning, printable } from "./format-values.ts";

/** How many rows of a violation are shown. */
export const MAX_EVIDENCE = 30;

/** The names of the clients by their numbers; a client without one is called by its number. */
export type ClientNames = readonly string[];

/** The longest name of a client on a line of its own. */
const MAX_NAME = 40;

/** `client 0`, `client ada`, `client 0, connection 2`, `background`. */
export function taskName(task: Task, names: ClientNames = []): string {
  const ordinal = Number(task.split(".")[1] ?? 0);
  const client = clientOf(task);
  const own = names[client] ?? String(client);
  const short = own.length > MAX_NAME ? `${beginning(own, MAX_NAME)}…` : own;
  const name = client < 0 ? "background" : `client ${printable(short)}`;
  return ordinal === 0 ? name : `${name}, connection ${ordinal + 1}`;
}

/** `client 0 and client ada`. */
export function taskNames(tasks: readonly Task[], names?: ClientNames): string {
  return tasks.map((task) => taskName(task, names)).join(" and ");
}

/** What a client does that sends an operation. A client with a name has one operation, itself. */
export function sendsLine(operation: string, client: number, names: ClientNames = []): string {
  return names[client] === undefined ? `sends ${operation}` : "begins";
}

/**
 * What a client does that gets the response. A client with a name is a function or a program, which
 * ends with its code; or it has sent a request.
 */
export function endsLine(response: Response, client: number, names: ClientNames = []): string {
  if (names[client] === undefined || response.status !== undefined) {
    return `gets the response ${responseLine(response)}`;
  }
  return response.outcome === "ok" ? "is done" : `is done with ${responseLine(response)}`;
}

/** The task of a client that uses one connection. */
export function clientTask(client: number): Task {
  return client < 0 ? BACKGROUND : String(client);
}

/** `create slot="1" via="http"`. */
export function operationLine(operation: Operation): string {
  const { name, ...args } = operation;
  return `${printable(name)} ${fieldsLine(args)}`.trimEnd();
}

/** `id=1 name="Ada"`: the members of an object. */
export function fieldsLine(fields: JsonObject): string {
  return Object.entries(fields)
    .map(([key, value]) => printable(`${key}=${JSON.stringify(value)}`))
    .join(" ");
}

export function statementLine(statement: Statement): string {
  return printable(sqlLine(statement.sql));
}

/** SQL on one line: white space becomes one space, comments go, and quoted text stays as it is. */
export function sqlLine(sql: string): string {
  return sql
    .replace(QUOTED_OR_BLANK, (_, quoted: string | undefined) => quoted ?? " ")
    .replace(/^ +| +$/g, "");
}

const QUOTED_OR_BLANK =
  /('(?:[^']|'')*'|"(?:[^"]|"")*"|\$(\w*)\$[\s\S]*?\$\2\$)|(?:\s|--[^\n]*|\/\*[\s\S]*?\*\/)+/g;

/** `3 statements that touch nothing shared`. */
export const privateTitle = (statements: readonly unknown[]): string =>
  `${statements.length} statements that touch nothing shared`;

/** `$1='7', $2=NULL`; empty for a statement without parameters. */
export function valuesLine(statement: Statement): string {
  return statement.values
    .map((value, at) => `$${at + 1}=${value === null ? "NULL" : sqlLiteral(value)}`)
    .join(", ");
}

function sqlLiteral(value: string): string {
  return `'${printable(value).replaceAll("'", "''")}'`;
}

/** `cancel_booking(bigint), line 12, before: update bookings set …`. */
export function placeLine({ of, line, next }: Place): string {
  const position = line === null ? of : `${of}, line ${line}`;
  return printable(`${position}, before: ${sqlLine(next)}`);
}

/** `the connection is cut, …: update bookings set …`. */
export function faultLine(
  {
    fault,
    statement,
    becomes,
  }: {
    readonly fault: Fault;
    readonly statement?: Statement;
    readonly becomes?: Task;
  },
  names?: ClientNames,
): string {
  const name = becomes === undefined ? "" : ` as ${taskName(becomes, names)}`;
  return FAULTS[fault] + name + (statement === undefined ? "" : `: ${statementLine(statement)}`);
}

/** How a statement ends that waited for a lock, or that began in an earlier step. */
export function statementEnd(waited: boolean, { error }: Result): string {
  if (!waited) return "completes";
  return error === undefined ? "gets the lock" : "stops waiting";
}

/** `UPDATE 1`, or `ERROR 23P01: conflicting key value …`. */
export function resultLine(result: Result): string {
  const { sqlstate, message, locks } = result.error ?? {};
  const detail = locks === undefined ? "" : ` (${locks})`;
  const error = result.error && `ERROR ${sqlstate}: ${message}${detail}`;
  return printable([...result.tags, ...(error ? [error] : [])].join("; "));
}

/** `201 CREATED`, `201` where the status is the code, `BOOKING_CONFLICT`, `outcome unknown: CONNECTION_LOST`. */
export function responseLine(response: Response): string {
  const isCode = String(response.status) === response.code;
  const status = response.status === undefined || isCode ? "" : `${response.status} `;
  const unknown = response.outcome === "info" ? "outcome unknown: " : "";
  return printable(unknown + status + response.code);
}

export function brokenLine({ rule }: { readonly rule: string }): string {
  return printable(`from this step on, the committed state violates ${rule}`);
}
