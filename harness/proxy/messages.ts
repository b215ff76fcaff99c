import { FieldReader, frame } from "./frames.ts";

/*
 * Messages that the proxy makes itself
 * (https://www.postgresql.org/docs/current/protocol-message-formats.html).
 */

// Of the unnamed portal.
export const CLOSE_PORTAL = frame("C", Buffer.from("P\0"));
export const DESCRIBE_PORTAL = frame("D", Buffer.from("P\0"));
export const BIND = bind();
export const EXECUTE = execute("", 0);

export const FLUSH = frame("H", Buffer.alloc(0));
export const SYNC = frame("S", Buffer.alloc(0));

/** A Parse without parameter types. Default: of the unnamed statement. */
export function parse(sql: string, name = ""): Buffer {
  return frame("P", Buffer.from(`${name}\0${sql}\0\0\0`));
}

/** A Bind of a statement to the portal of the same name: no parameters, all columns as text. Default: the unnamed ones. */
export function bind(name = ""): Buffer {
  return frame("B", Buffer.concat([Buffer.from(`${name}\0${name}\0`), Buffer.alloc(6)]));
}

/** @param limit the most rows; 0 for all */
export function execute(portal: string, limit: number): Buffer {
  const body = Buffer.from(`${portal}\0\0\0\0\0`);
  body.writeInt32BE(limit, body.length - 4);
  return frame("E", body);
}

/** The Execute of the same portal for a single row. */
export function oneRow(message: Buffer): Buffer {
  return execute(new FieldReader(message).text(), 1);
}

/** The number of rows that an Execute asks for; 0 for all. */
export function limitOf(message: Buffer): number {
  return message.readInt32BE(message.length - 4);
}

/** A CommandComplete, as the server sends it. */
export function complete(tag: string): Buffer {
  return frame("C", Buffer.from(`${tag}\0`));
}

/** The letter that a message begins with. */
export function typeOf(message: Buffer | undefined): string {
  return String.fromCharCode(message?.[0] ?? 0);
}
