import { timingSafeEqual } from "node:crypto";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import { selfSignedCertificate } from "./certificate.ts";
import { errorFrame, FieldReader, FrameReader, PASSWORD, ProtocolError } from "./frames.ts";
import type { Login } from "./login.ts";

const SSL_REQUEST = 80877103;
const GSS_REQUEST = 80877104;
const CANCEL_REQUEST = 80877102;
const PROTOCOL_MAJOR = 3;

/** The kinds of first packets. */
type Startup = "encryption" | "cancel" | "session" | "replication";

/** AuthenticationCleartextPassword. */
const ASK_PASSWORD = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]);

/** The user and database of a session, in place of those in its startup packet. */
interface SessionIdentity {
  readonly user: string;
  readonly database: string;
}

/** What a port asks of its clients. */
export interface PortAccess {
  readonly password: string;
  /** What the message about a wrong password says about the right one. */
  readonly passwordIs: string;
  /** The role of the sessions, and its password for the server: empty if there is none. */
  readonly role: { readonly user: string; readonly password: string };
  /** Roles that the port never leads to, such as the superuser of the control connections. */
  readonly refused: readonly string[];
  /** Set if each session gets this user and database, whatever its client asks for. */
  readonly identity?: SessionIdentity;
  /** The time in which a client must have logged in. Default: 10,000. */
  readonly timeoutMs?: number;
}

const LOGIN_MS = 10_000;

/**
 * Accepts a connection to a port: encrypted if the client asks for it, and by password. Resolves with a
 * stream that begins with the startup packet, as if nothing had been sent before, and with the login for
 * the server. Rejects with ProtocolError when the connection ends, its password is wrong, or the client
 * has not logged in in time.
 * (https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-START-UP)
 */
export async function handshake(
  socket: Socket,
  access: PortAccess,
): Promise<{ readonly stream: Duplex; readonly login: Login | undefined }> {
  const patience = setTimeout(() => socket.destroy(), access.timeoutMs ?? LOGIN_MS);
  try {
    return await enter(socket, access);
  } finally {
    clearTimeout(patience);
  }
}

async function enter(socket: Socket, access: PortAccess) {
  socket.on("error", () => {}); // The next read fails by it.
  let stream: Duplex = socket;
  let frames = new Frames(stream);
  let startup = await frames.next();
  while (readStartup(startup) === "encryption") {
    if (isForTls(startup) && stream === socket) {
      socket.write("S");
      stream = encrypted(socket);
      frames = new Frames(stream);
    } else stream.write("N");
    startup = await frames.next();
  }
  // A request to cancel a statement proves itself by the secret key of its session.
  if (readStartup(startup) === "cancel") {
    frames.giveBack(startup);
    return { stream, login: undefined };
  }
  stream.write(ASK_PASSWORD);
  frames.startup = false;
  const given = passwordIn(await frames.next());
  const { identity, role } = access;
  const user = identity?.user ?? parameters(startup).get("user") ?? "";
  const proven = given !== undefined && isEqual(given, access.password);
  const refuse = (sqlstate: string, why: string) => {
    stream.end(errorFrame("FATAL", sqlstate, `heddle: ${why}`));
    return new ProtocolError(why);
  };
  if (access.refused.includes(user)) {
    throw refuse("28000", `this port does not lead to the role ${user}: use that of its URL`);
  }
  // The server checks the password of any other role.
  if (given === undefined || (!proven && (user === role.user || identity !== undefined))) {
    throw refuse("28P01", `the password is ${access.passwordIs}`);
  }
  frames.giveBack(
    identity !== undefined && readStartup(startup) === "session"
      ? withIdentity(startup, identity)
      : startup,
  );
  const password = user === role.user ? role.password : given;
  return { stream, login: { user, password, proven } };
}

/** Other requests for encryption are for GSSAPI. */
function isForTls(request: Buffer): boolean {
  return request.readInt32BE(4) === SSL_REQUEST;
}

function encrypted(socket: Socket): Duplex {
  const stream = new TLSSocket(socket, { isServer: true, secureContext: selfSignedCertificate() });
  stream.on("error", () => {});
  return stream;
}

/** The text of a PasswordMessage; undefined for any other message. */
function passwordIn(frame: Buffer): string | undefined {
  return frame[0] === PASSWORD ? frame.toString("utf8", 5, frame.length - 1) : undefined;
}

function isEqual(given: string, expected: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(expected)];
  return one.length === other.length && timingSafeEqual(one, other);
}

/** Reads a stream message by message, and can give back what it has read. */
class Frames {
  readonly #stream: Duplex;
  #reader = new FrameReader(true);

  constructor(stream: Duplex) {
    this.#stream = stream;
  }

  set startup(startup: boolean) {
    this.#reader.startup = startup;
  }

  /** Rejects with ProtocolError when the stream ends or does not follow the protocol. */
  async next(): Promise<Buffer> {
    for (;;) {
      const chunk = await this.#read();
      for (const frame of this.#reader.push(chunk)) {
        const unread = this.#reader.takeUnread();
        if (unread.length > 0) this.#stream.unshift(unread);
        return frame;
      }
    }
  }

  giveBack(frame: Buffer): void {
    this.#stream.unshift(frame);
  }

  #read(): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const done = () => {
        this.#stream.off("readable", look);
        this.#stream.off("end", ended).off("close", ended);
      };
      const ended = () => {
        done();
        reject(new ProtocolError("the connection was closed before its first message"));
      };
      const look = () => {
        const chunk: Buffer | null = this.#stream.read();
        if (chunk === null) return;
        done();
        resolve(chunk);
      };
      this.#stream.on("readable", look).on("end", ended).on("close", ended);
      look();
      // These events do not come again.
      if (this.#stream.readableEnded || this.#stream.destroyed) ended();
    });
  }
}

/**
 * Reads a first packet
 * (https://www.postgresql.org/docs/current/protocol-message-formats.html, StartupMessage). Throws
 * ProtocolError when it is not a first packet.
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

/** Whether a text may set an isolation level or a timeout: few do, and every request is asked. */
export function namesSetting(text: string | null): boolean {
  return text !== null && /_timeout|_isolation|characteristics/i.test(text);
}

/** Whether a startup packet or a statement may set the default isolation level of its session. */
export function setsIsolation(text: string): boolean {
  return /default_transaction_isolation|session\s+characteristics/i.test(text);
}

/** A startup packet with another user and database. */
function withIdentity(frame: Buffer, { user, database }: SessionIdentity): Buffer {
  const fields = parameters(frame).set("user", user).set("database", database);
  const texts = [...fields].flat();
  const body = Buffer.from(`${texts.join("\0")}\0\0`);
  const packet = Buffer.concat([frame.subarray(0, 8), body]);
  packet.writeInt32BE(packet.length, 0);
  return packet;
}

function parameters(frame: Buffer): Map<string, string> {
  const fields = new FieldReader(frame, 8);
  const parameters = new Map<string, string>();
  for (let name = fields.text(); name !== ""; name = fields.text()) {
    parameters.set(name, fields.text());
  }
  return parameters;
}
