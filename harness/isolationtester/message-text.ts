/** What the server says in an error or a notice, by field. */
export interface ServerMessage {
  readonly severity?: string | undefined;
  readonly message?: string | undefined;
  readonly detail?: string | undefined;
  readonly hint?: string | undefined;
  /** The routine, line and statement from which it comes. */
  readonly where?: string | undefined;
  readonly internalQuery?: string | undefined;
}

/** A message of the server as isolationtester shows a step's error. */
export function primaryLine({ severity, message }: ServerMessage): string {
  return `${severity}:  ${message}\n`;
}

/**
 * A message of the server as libpq words it by default, but without the place in the SQL: with its
 * context if it is an error, and without for a notice
 * (https://www.postgresql.org/docs/15/libpq-control.html).
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

/** What libpq says of a connection that was lost in the middle of a statement. */
export const LOST = `server closed the connection unexpectedly
\tThis probably means the server terminated abnormally
\tbefore or while processing the request.

`;
