import { timingSafeEqual } from "node:crypto";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import { selfSignedCertificate } from "./certificate.ts";
import { errorFrame, FrameReader, ProtocolError } from "./frames.ts";
import { adopted, readStartup, SSL_REQUEST } from "./startup.ts";

/** AuthenticationCleartextPassword. */
const ASK = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]);

const PASSWORD = 0x70;

/** Whom the server is to take a session for, whatever it says itself. */
export interface SessionIdentity {
  readonly user: string;
  readonly database: string;
}

/**
 * Lets in who knows the password, if there is one, encrypted if they ask for it. Resolves with a
 * stream that begins with the startup packet, as if nothing had been said before. Rejects when nobody
 * is let in.
 * (https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-START-UP)
 */
export async function handshake(
  socket: Socket,
  { password, adopt }: { readonly password?: string | undefined; readonly adopt?: SessionIdentity },
): Promise<Duplex> {
  socket.on("error", () => {}); // Whoever reads next hears of it.
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
  if (password !== undefined && readStartup(startup) !== "cancel") {
    stream.write(ASK);
    frames.startup = false;
    const said = await frames.next();
    if (!isPassword(said, password)) {
      const why = "heddle: the password is that of the URL which was given for this run";
      stream.end(errorFrame("FATAL", "28P01", why));
      throw new ProtocolError(why);
    }
  }
  const session = readStartup(startup) === "session";
  frames.giveBack(
    adopt !== undefined && session ? adopted(startup, adopt.user, adopt.database) : startup,
  );
  return stream;
}

/** The other kind of encryption is that of Kerberos. */
function isForTls(request: Buffer): boolean {
  return request.readInt32BE(4) === SSL_REQUEST;
}

function encrypted(socket: Socket): Duplex {
  const stream = new TLSSocket(socket, { isServer: true, secureContext: selfSignedCertificate() });
  stream.on("error", () => {});
  return stream;
}

function isPassword(frame: Buffer, password: string): boolean {
  const said = frame.subarray(5, -1);
  const expected = Buffer.from(password);
  return (
    frame[0] === PASSWORD && said.length === expected.length && timingSafeEqual(said, expected)
  );
}

/** Reads a stream message by message, until the rest of it is given back. */
class Frames {
  readonly #stream: Duplex;
  #reader = new FrameReader(true);

  constructor(stream: Duplex) {
    this.#stream = stream;
  }

  set startup(startup: boolean) {
    this.#reader.startup = startup;
  }

  /** Rejects with ProtocolError when the stream ends, or is none of the protocol. */
  async next(): Promise<Buffer> {
    for (;;) {
      const chunk = await this.#read();
      for (const frame of this.#reader.push(chunk)) {
        const rest = this.#reader.rest();
        if (rest.length > 0) this.#stream.unshift(rest);
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
        reject(new ProtocolError("the connection was closed before it had begun"));
      };
      const look = () => {
        const chunk: Buffer | null = this.#stream.read();
        if (chunk === null) return;
        done();
        resolve(chunk);
      };
      this.#stream.on("readable", look).on("end", ended).on("close", ended);
      look();
    });
  }
}
