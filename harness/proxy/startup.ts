import { FieldReader, ProtocolError } from "./frames.ts";

export const SSL_REQUEST = 80877103;
const GSS_REQUEST = 80877104;
const CANCEL_REQUEST = 80877102;
const PROTOCOL_MAJOR = 3;

/** All that a service says of its own between the startup packet and the first ReadyForQuery. */
export const PASSWORD = 0x70;

/** What a connection begins with: a request for encryption, a cancel request, or a session. */
export type Startup = "encryption" | "cancel" | "session" | "replication";

/**
 * Reads a first packet
 * (https://www.postgresql.org/docs/current/protocol-message-formats.html, StartupMessage). Throws
 * ProtocolError when it is none.
 */
export function readStartup(frame: Buffer): Startup {
  const code = new FieldReader(frame, 4).int32();
  if (code === SSL_REQUEST || code === GSS_REQUEST) return "encryption";
  if (code === CANCEL_REQUEST) return "cancel";
  if (code >> 16 !== PROTOCOL_MAJOR) {
    throw new ProtocolError("the first message is not a PostgreSQL 3 startup packet");
  }
  const replication = parameters(frame).get("replication");
  // The server reads anything that begins like this as false, or refuses it.
  return replication === undefined || /^(0|f|n|of)/i.test(replication) ? "session" : "replication";
}

/** Whether the session has an isolation of its own from the beginning. */
export function isolates(frame: Buffer): boolean {
  return /default_transaction_isolation/i.test(frame.toString("latin1"));
}

/** A session's first packet, with another user and database. */
export function adopted(frame: Buffer, user: string, database: string): Buffer {
  const fields = parameters(frame).set("user", user).set("database", database);
  const texts = [...fields].flat();
  const body = Buffer.from(`${texts.join("\0")}\0\0`);
  const packet = Buffer.concat([frame.subarray(0, 8), body]);
  packet.writeInt32BE(packet.length, 0);
  return packet;
}

function parameters(frame: Buffer): Map<string, string> {
  const fields = new FieldReader(frame, 8);
  const found = new Map<string, string>();
  for (let name = fields.text(); name !== ""; name = fields.text()) found.set(name, fields.text());
  return found;
}
