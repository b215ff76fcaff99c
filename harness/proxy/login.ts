import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from "node:crypto";
import { FieldReader, frame, PASSWORD, ProtocolError } from "./frames.ts";

/** How the proxy logs in to the server for a client that came through a port. */
export interface Login {
  readonly user: string;
  /** Empty if there is none. */
  readonly password: string;
  /**
   * Whether the client may have a session that the server opens without a password. False for a client
   * that gave the password of another role than that of the port: the server must have checked it.
   */
  readonly proven: boolean;
}

/** Kinds of authentication messages (https://www.postgresql.org/docs/current/protocol-message-formats.html). */
const OK = 0;
const CLEARTEXT = 3;
const MD5 = 5;
const SASL = 10;
const SASL_CONTINUE = 11;
const SASL_FINAL = 12;

const MECHANISM = "SCRAM-SHA-256";

/** More would stop this process for seconds. PostgreSQL's default is 4,096. */
const MAX_ITERATIONS = 1_000_000;

/** Answers the server's authentication messages, so that clients need the password of the port only. */
export class ServerLogin {
  readonly #login: Login;
  #checked: boolean;
  #first = "";
  #signature: Buffer | undefined;
  #entered = false;

  constructor(login: Login) {
    this.#login = login;
    this.#checked = login.proven;
  }

  /** Whether the server has let the client in. */
  get entered(): boolean {
    return this.#entered;
  }

  /**
   * The answer to an authentication message; undefined where there is nothing to answer.
   *
   * @throws ProtocolError when the server opens the session without a password that it had to check, or
   * asks for a kind of authentication that is not supported
   */
  answer(frame: Buffer): Buffer | undefined {
    const reader = new FieldReader(frame);
    const kind = reader.int32();
    if (kind === OK) {
      if (!this.#checked) throw new ProtocolError("the password is not that of the role", "28P01");
      this.#entered = true;
      return undefined;
    }
    if (kind === CLEARTEXT) return this.#password(this.#login.password);
    if (kind === MD5) return this.#password(this.#md5(reader.bytes(4)));
    if (kind === SASL) return this.#begin(reader);
    if (kind === SASL_CONTINUE) return this.#prove(rest(frame));
    if (kind === SASL_FINAL) return this.#verify(rest(frame));
    throw new ProtocolError(`the server asks for authentication of kind ${kind}`);
  }

  #password(text: string): Buffer {
    this.#checked = true;
    return message(Buffer.from(`${text}\0`));
  }

  #md5(salt: Buffer): string {
    const hex = (...parts: (string | Buffer)[]) => {
      const hash = createHash("md5");
      for (const part of parts) hash.update(part);
      return hash.digest("hex");
    };
    return `md5${hex(hex(this.#login.password, this.#login.user), salt)}`;
  }

  /** https://www.rfc-editor.org/rfc/rfc5802, without channel binding: the server ignores the name. */
  #begin(reader: FieldReader): Buffer {
    const mechanisms: string[] = [];
    for (let name = reader.text(); name !== ""; name = reader.text()) mechanisms.push(name);
    if (!mechanisms.includes(MECHANISM)) {
      throw new ProtocolError(`the server offers no ${MECHANISM}`);
    }
    this.#checked = true;
    this.#first = `n=,r=${randomBytes(18).toString("base64")}`;
    const body = Buffer.from(`n,,${this.#first}`);
    const length = Buffer.alloc(4);
    length.writeInt32BE(body.length);
    return message(Buffer.concat([Buffer.from(`${MECHANISM}\0`), length, body]));
  }

  #prove(challenge: string): Buffer {
    const { r: nonce = "", s: salt = "", i: iterations = "" } = attributes(challenge);
    const count = Number(iterations);
    const own = this.#first.slice("n=,r=".length);
    if (!nonce.startsWith(own) || !(Number.isInteger(count) && count > 0)) {
      throw new ProtocolError("the server's challenge is damaged");
    }
    if (count > MAX_ITERATIONS) {
      throw new ProtocolError(
        `the server asks for ${count} iterations, more than ${MAX_ITERATIONS}`,
      );
    }
    const password = this.#login.password.normalize("NFKC");
    const salted = pbkdf2Sync(password, Buffer.from(salt, "base64"), count, 32, "sha256");
    const key = hmac(salted, "Client Key");
    const unproven = `c=biws,r=${nonce}`;
    const signed = `${this.#first},${challenge},${unproven}`;
    const signature = hmac(createHash("sha256").update(key).digest(), signed);
    const proof = Buffer.from(key.map((byte, at) => byte ^ (signature[at] ?? 0)));
    this.#signature = hmac(hmac(salted, "Server Key"), signed);
    return message(Buffer.from(`${unproven},p=${proof.toString("base64")}`));
  }

  #verify(final: string): undefined {
    const given = Buffer.from(attributes(final)["v"] ?? "", "base64");
    const expected = this.#signature;
    if (expected?.length !== given.length || !timingSafeEqual(expected, given)) {
      throw new ProtocolError("the server does not know the password of the role");
    }
  }
}

/** The text after the kind of an authentication message. */
function rest(frame: Buffer): string {
  return frame.toString("utf8", 9);
}

function message(body: Buffer): Buffer {
  return frame(String.fromCharCode(PASSWORD), body);
}

function attributes(text: string): { readonly [name: string]: string } {
  return Object.fromEntries(text.split(",").map((part) => [part.slice(0, 1), part.slice(2)]));
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

/** The type of the messages by which a server asks for a login. */
export const AUTHENTICATION = 0x52;

/** Whether an authentication message is AuthenticationOk. */
export function isAuthenticated(frame: Buffer): boolean {
  return frame.readInt32BE(5) === 0;
}
