/*
 * The output of isolationtester: messages as libpq words them, and result tables.
 */

/** The fields of an error or a notice of the server. */
export interface ServerMessage {
  readonly severity?: string | undefined;
  readonly message?: string | undefined;
  readonly detail?: string | undefined;
  readonly hint?: string | undefined;
  /** The call stack: routine, line and statement. */
  readonly where?: string | undefined;
  readonly internalQuery?: string | undefined;
}

/** The line by which isolationtester shows a step's error. */
export function primaryLine({ severity, message }: ServerMessage): string {
  return `${severity}:  ${message}\n`;
}

/**
 * An error or a notice in libpq's default verbosity, without the position in the SQL. The context is
 * part of an error and not of a notice
 * (https://www.postgresql.org/docs/15/libpq-control.html#LIBPQ-PQSETERRORVERBOSITY).
 */
export function messageText(fields: ServerMessage, type: "error" | "notice"): string {
  const { detail, hint, internalQuery, where } = fields;
  const line = (name: string, text: string | undefined) =>
    text === undefined ? "" : `${name}:  ${text}\n`;
  return [
    primaryLine(fields),
    line("DETAIL", detail),
    line("HINT", hint),
    line("QUERY", internalQuery),
    type === "error" ? line("CONTEXT", where) : "",
  ].join("");
}

/** libpq's message when the connection is lost while a statement runs. */
export const CONNECTION_LOST_TEXT = `server closed the connection unexpectedly
\tThis probably means the server terminated abnormally
\tbefore or while processing the request.

`;

/** A result whose values are text, as the server sends them, or null. */
export interface ResultTable {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | null)[])[];
}

/**
 * Formats a table like libpq's PQprint with a header and aligned columns, as isolationtester does
 * (https://www.postgresql.org/docs/15/libpq-exec.html#LIBPQ-PQPRINT): numbers are aligned to the right,
 * widths are in bytes, a null is empty, and a table without columns has no text.
 */
export function tableText({ columns, rows }: ResultTable): string {
  if (columns.length === 0) return "";
  const formats = columns.map((name, index) => {
    const cells = rows.map((row) => row[index] ?? "");
    return { width: Math.max(...[name, ...cells].map(bytes)), right: cells.every(looksNumeric) };
  });
  const line = (cells: readonly (string | null)[]) =>
    formats.map((format, index) => padded(cells[index] ?? "", format)).join("|");
  return [
    line(columns),
    formats.map(({ width }) => "-".repeat(width)).join("+"),
    ...rows.map(line),
    `(${rows.length} row${rows.length === 1 ? "" : "s"})`,
    "\n",
  ].join("\n");
}

/** PQprint's test for a number, which `1-2` passes too. An empty cell passes. */
function looksNumeric(cell: string): boolean {
  return cell === "" || (/^[0-9. -][0-9.Ee -]*$/.test(cell) && /[0-9]$/.test(cell));
}

function padded(cell: string, { width, right }: { width: number; right: boolean }): string {
  const padding = " ".repeat(width - bytes(cell));
  return right ? padding + cell : cell + padding;
}

function bytes(text: string): number {
  return Buffer.byteLength(text);
}
