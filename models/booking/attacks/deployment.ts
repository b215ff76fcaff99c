import { Pool } from "undici";
import type { JsonObject, Response } from "../../../harness/index.ts";
import { HarnessError } from "../../../harness/index.ts";

/** A customer, and the cookie by which the deployment recognises it. */
export interface Customer {
  readonly id: string;
  readonly cookie: string;
}

/** A free slot in the deployment's answer. */
export interface FreeSlot {
  readonly id: string;
  readonly providerId: string;
  readonly startAt: string;
  readonly endAt: string;
}

/** How long the deployment may take for an answer, in ms: longer than the service's own time limits. */
const ANSWER_MS = 15_000;

/** A client of the public routes of a deployed booking service. */
export class Deployment {
  readonly #http: Pool;
  readonly #url: string;

  constructor(url: string, connections: number, answerMs = ANSWER_MS) {
    this.#url = url;
    this.#http = new Pool(new URL(url).origin, {
      connections,
      headersTimeout: answerMs,
      bodyTimeout: answerMs,
    });
  }

  async close(): Promise<void> {
    await this.#http.close();
  }

  /** Becomes a new customer by visiting the vendor's page. */
  async customer(vendor: string): Promise<Customer> {
    const { headers, statusCode } = await this.#send("GET", `/book/${vendor}`);
    const [cookie] = [headers["set-cookie"]].flat();
    const value = cookie?.split(";")[0];
    const [, payload] = value?.split(".") ?? [];
    const claims = payload === undefined ? {} : JSON.parse(atob(base64(payload)));
    const [role, id] = String(claims.sub ?? "").split(":");
    if (value === undefined || role !== "customer" || id === undefined) {
      throw new HarnessError(
        "USAGE",
        `${this.#url}/book/${vendor} set no customer cookie (status ${statusCode}): is this the booking service?`,
      );
    }
    return { id, cookie: value };
  }

  async freeSlots(vendor: string): Promise<readonly FreeSlot[]> {
    const { body } = await this.#send("GET", `/api/vendors/${vendor}/slots`);
    const { slots } = body as { readonly slots?: readonly FreeSlot[] };
    return slots ?? [];
  }

  post(path: string, cookie: string, body: JsonObject): Promise<HttpAnswer> {
    return this.#send("POST", path, cookie, body);
  }

  async #send(
    method: "GET" | "POST",
    path: string,
    cookie?: string,
    body?: JsonObject,
  ): Promise<HttpAnswer> {
    try {
      const answer = await this.#http.request({
        path,
        method,
        headers: {
          ...(cookie !== undefined && { cookie }),
          ...(body !== undefined && { "content-type": "application/json" }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const text = await answer.body.text();
      if (answer.statusCode === 429) throw limited(this.#url);
      const { statusCode, headers } = answer;
      return { statusCode, headers, body: parsed(text) };
    } catch (cause) {
      if (cause instanceof HarnessError) throw cause;
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new HarnessError(
        "CONNECTION_LOST",
        `${this.#url} does not answer (${why}): start the service, or give another --target-url`,
        { cause },
      );
    }
  }
}

interface HttpAnswer {
  readonly statusCode: number;
  readonly headers: { readonly [name: string]: string | string[] | undefined };
  readonly body: JsonObject;
}

/** Converts an answer to a response of a history. */
export function responseOf({ statusCode, body }: HttpAnswer, content: JsonObject | null): Response {
  return {
    outcome: statusCode < 400 ? "ok" : statusCode < 500 ? "fail" : "info",
    code: typeof body["code"] === "string" ? body["code"] : `HTTP_${statusCode}`,
    status: statusCode,
    body: statusCode < 400 ? content : null,
  };
}

function limited(url: string): HarnessError {
  return new HarnessError(
    "UNSUPPORTED",
    `${url} limits how many requests an address may send: start it with REQUESTS_PER_MINUTE=100000 for the attack, or ask for fewer --iterations`,
  );
}

function parsed(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as JsonObject) : {};
  } catch {
    return {};
  }
}

function base64(url: string): string {
  return url.replaceAll("-", "+").replaceAll("_", "/");
}
