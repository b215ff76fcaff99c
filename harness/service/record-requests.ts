import { appendFileSync } from "node:fs";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import https from "node:https";
import type { RecordedRequest } from "./har.ts";

/** Longer bodies are no operations that anybody would repeat; they are left out. */
const MOST_BYTES = 1 << 20;

/**
 * Records each request that an HTTP server of this process answers. Neither the server nor the client notices.
 *
 * @param done called when a request was answered
 */
export function recordRequests(done: (request: RecordedRequest) => void): void {
  for (const [scheme, { prototype }] of [
    ["http", http.Server],
    ["https", https.Server],
  ] as const) {
    const emit = prototype.emit as (event: string, ...given: unknown[]) => boolean;
    prototype.emit = function (this: unknown, event: string, ...given: unknown[]) {
      if (event === "request") {
        const [request, response] = given as [IncomingMessage, ServerResponse];
        observe(scheme, request, response, done);
      }
      return emit.call(this, event, ...given);
    } as typeof prototype.emit;
  }
}

/** Adds each request to a file, one line of JSON for each: several processes may write at the same time. */
export function recordInto(file: string): void {
  recordRequests((request) => appendFileSync(file, `${JSON.stringify(request)}\n`));
}

function observe(
  scheme: string,
  request: IncomingMessage,
  response: ServerResponse,
  done: (request: RecordedRequest) => void,
): void {
  const startedAt = new Date().toISOString();
  const [sent, answered] = [new Bytes(), new Bytes()];
  // Each part of the body passes here, whenever and however the server reads it.
  const push = request.push.bind(request);
  request.push = (part: Buffer | null, encoding?: BufferEncoding) => {
    sent.add(part, encoding);
    return push(part, encoding);
  };
  // Headers that are given here cannot be asked for later.
  let given: unknown;
  const writeHead = response.writeHead.bind(response) as (...all: unknown[]) => ServerResponse;
  response.writeHead = ((...all: unknown[]) => {
    given = all.at(-1);
    return writeHead(...all);
  }) as typeof response.writeHead;
  const headerOf = (name: string) => headerIn(given, name) ?? response.getHeader(name);
  const write = response.write.bind(response) as (...given: unknown[]) => boolean;
  response.write = ((...given: unknown[]) => {
    answered.add(given[0], given[1]);
    return write(...given);
  }) as typeof response.write;
  const end = response.end.bind(response) as (...given: unknown[]) => ServerResponse;
  response.end = ((...given: unknown[]) => {
    // The end itself may call `write`.
    response.write = write as typeof response.write;
    answered.add(given[0], given[1]);
    return end(...given);
  }) as typeof response.end;
  response.once("finish", () => {
    const { method = "GET", url = "/", headers } = request;
    const packed = headerOf("content-encoding") !== undefined;
    done({
      ...{ startedAt, method, url: `${scheme}://${headers.host ?? "localhost"}${url}` },
      headers: Object.fromEntries(
        Object.entries(headers).map(([name, value]) => [name, String(value)]),
      ),
      body: sent.text(),
      status: response.statusCode,
      type: String(headerOf("content-type") ?? ""),
      answer: packed ? undefined : answered.text(),
    });
  });
}

/** A header in the last argument of `writeHead`: an object, or a list of names and values. */
function headerIn(given: unknown, name: string): unknown {
  if (typeof given !== "object" || given === null) return undefined;
  const flat = Array.isArray(given) ? given.flat() : Object.entries(given).flat();
  const at = flat.findIndex((one, index) => index % 2 === 0 && String(one).toLowerCase() === name);
  return at < 0 ? undefined : flat[at + 1];
}

/** The parts of a body. */
class Bytes {
  readonly #parts: Buffer[] = [];
  #size = 0;

  add(part: unknown, encoding: unknown): void {
    const given = typeof encoding === "string" ? (encoding as BufferEncoding) : "utf8";
    if (typeof part !== "string" && !(part instanceof Uint8Array)) return;
    const bytes = typeof part === "string" ? Buffer.from(part, given) : Buffer.from(part);
    this.#size += bytes.length;
    if (this.#size <= MOST_BYTES) this.#parts.push(bytes);
  }

  /** Undefined for none, and for more than is kept. */
  text(): string | undefined {
    if (this.#size === 0 || this.#size > MOST_BYTES) return undefined;
    return Buffer.concat(this.#parts).toString("utf8");
  }
}
