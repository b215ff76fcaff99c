import { readFileSync } from "node:fs";
import fc from "fast-check";
import { HarnessError } from "../../core/error.ts";
import type { Json, JsonObject } from "../../core/json.ts";
import { isRecord } from "../definition-members.ts";
import { jsonValue, parseHar, type RecordedRequest } from "../har.ts";
import {
  type Argument,
  type Arguments,
  type HttpMethod,
  http,
  type RequestOperation,
} from "../operation-definition.ts";
import { bodyTypeOf, decodedBody } from "../request-body.ts";
import { rowOf } from "../row-reference.ts";
import type { BodyType } from "../scenario-definition.ts";
import type { SchemaCatalog } from "./catalog.ts";
import { type OperationOverrides, type OperationSource, overridden } from "./operation-source.ts";
import { type NamedValue, referentOf, singular, snakeCase } from "./referent.ts";

/**
 * Every kind of request of an HTTP archive, as an operation: what a browser, a proxy or `heddle record` has
 * written. Requests of one method and one path count as the same kind; numbers, UUIDs and ids of earlier
 * answers are parameters of the path. An argument that an earlier answer had as an id, or whose name is that of
 * a table's key, is the id of a row; all others are the recorded values. Operations have the order of the
 * recording, in which they are tried first.
 *
 * Requests that were refused, whose bodies are neither JSON, nor forms, nor text, and that are not for the service
 * (other servers, pages, pictures) are left out.
 *
 * ```ts
 * operations: fromHar("session.har", { "DELETE /orders/:id": false }),
 * ```
 *
 * @param path of the archive, relative to the definition
 */
export function fromHar(path: string, overrides: OperationOverrides = {}): OperationSource {
  const source = `fromHar("${path}")`;
  return {
    source,
    operations: ({ catalog, file }) => {
      const url = new URL(path, file);
      const requests = parseHar(readArchive(url, path), path);
      return overridden(operationsOf(requests, catalog), overrides, source);
    },
  };
}

function readArchive(url: URL, path: string): string {
  try {
    return readFileSync(url, "utf8");
  } catch (cause) {
    throw new HarnessError("USAGE", `there is no archive ${path} beside the definition`, { cause });
  }
}

/** Requests of one method, one path, one type of body and the same arguments. */
interface Kind {
  readonly method: HttpMethod;
  /** With parameters: `/orders/:id`. */
  readonly path: string;
  readonly requests: readonly SentRequest[];
}

/** A request in parts. */
interface SentRequest {
  readonly segments: readonly string[];
  readonly method: HttpMethod;
  /** How the body was sent; undefined if there was none. */
  readonly type: BodyType | undefined;
  readonly values: JsonObject;
  /** Whether the only one of `values` is the whole body. */
  readonly isWhole: boolean;
  readonly headers: { readonly [name: string]: string };
  readonly answer: Json | undefined;
}

/** Operations by the method and the path of their requests. */
export function operationsOf(
  requests: readonly RecordedRequest[],
  catalog: SchemaCatalog,
): { readonly [name: string]: RequestOperation } {
  const sent = ofTheService(requests).flatMap((request) => sentRequest(request) ?? []);
  const produced = new ProducedIds(sent, catalog);
  const kinds = kindsOf(sent, produced);
  return Object.fromEntries(
    kinds.map((kind) => [
      nameOf(kind, kinds),
      operationOf(kind, (value, name, after) => produced.referentOf(value, name, after)),
    ]),
  );
}

/** Those that were not refused, of the server with most requests that have to do with data. */
function ofTheService(requests: readonly RecordedRequest[]): readonly RecordedRequest[] {
  const answered = requests.filter(
    ({ method, status, type, body }) =>
      status < 400 &&
      METHODS.has(method) &&
      // An answer without a body has no type. A form of a page is answered with another page.
      (type === "" || /json/.test(type) || (method !== "GET" && body !== undefined)) &&
      !/^image/.test(type),
  );
  // Not by the port: a test may start the service on another one each time.
  const byHost = new Map<string, RecordedRequest[]>();
  for (const request of answered) {
    const { hostname } = new URL(request.url);
    byHost.set(hostname, [...(byHost.get(hostname) ?? []), request]);
  }
  const [main = []] = [...byHost.values()].toSorted((a, b) => b.length - a.length);
  return main;
}

const METHODS: ReadonlySet<string> = new Set(["GET", "POST", "PUT", "PATCH", "DELETE"]);

/** Undefined for a request whose body an operation cannot send. */
function sentRequest(request: RecordedRequest): SentRequest | undefined {
  const { method, body } = request;
  const url = new URL(request.url);
  const mediaType = mediaTypeOf(request);
  const decoded = body === undefined ? {} : decodedBody(mediaType, body);
  if (decoded === undefined) return undefined;
  const type = body === undefined ? undefined : bodyTypeOf(mediaType);
  const isWhole = !isRecord(decoded);
  const given = isWhole ? { body: decoded } : (decoded as JsonObject);
  const query = Object.fromEntries(url.searchParams);
  const inQuery = method === "GET" || method === "DELETE";
  // The query of another method would be sent as its body.
  if (!inQuery && url.search !== "") return undefined;
  return {
    segments: url.pathname.split("/").slice(1).map(decodeURIComponent),
    ...{ method: method as HttpMethod, type, isWhole },
    values: inQuery ? query : given,
    headers: {
      ...Object.fromEntries(Object.entries(request.headers).filter(([name]) => isOwn(name))),
      ...(type === "text" && { "content-type": mediaType }),
    },
    answer: jsonValue(request.answer),
  };
}

/** JSON is sent as such whatever its type is, so that its members are arguments. */
function mediaTypeOf({ headers, body }: RecordedRequest): string {
  const { "content-type": given } = headers;
  return given === undefined || isRecord(jsonValue(body)) ? "application/json" : given;
}

/** Whether a header is the client's, and not one that each client of HTTP sends. */
function isOwn(header: string): boolean {
  return (
    /^(?:authorization|cookie|if-match|idempotency-key|prefer)$/.test(header) ||
    (/^x-/.test(header) && !/^x-(?:forwarded|real-ip|request-id|requested-with)/.test(header))
  );
}

const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i;

/** Whether a part of a path is an id by its look. */
function looksLikeId(segment: string): boolean {
  return /^\d+$/.test(segment) || UUID.test(segment) || /^[\da-f]{16,}$/i.test(segment);
}

/** What a field of an answer with an id is called. */
const ID_FIELD = /(?:^|_)(?:id|uuid|slug|key|code|number|token|sku)$/;

/** The ids that answers had, and the columns that requests refer to by them. */
class ProducedIds {
  readonly #catalog: SchemaCatalog;
  /** By the text of the id: the name of the field, and the resource that the answer is about. */
  readonly #fields = new Map<
    string,
    { readonly name: string; readonly after: string | undefined }
  >();

  constructor(requests: readonly SentRequest[], catalog: SchemaCatalog) {
    this.#catalog = catalog;
    for (const { answer, segments } of requests) {
      this.#add(
        answer,
        segments.findLast((segment) => !looksLikeId(segment)),
      );
    }
  }

  /** Whether a part of a path is the id of an earlier answer. */
  has(id: string): boolean {
    return this.#fields.has(id);
  }

  /**
   * The column whose rows an argument refers to: by its own name, or by the name that its value had in an answer.
   * Small numbers are equal to many others, so outside of paths they count by their name alone.
   */
  referentOf(value: Json | undefined, name: string, after: string | undefined) {
    const kind = kindOf(value);
    if (kind === undefined) return undefined;
    const own = referentOf({ name, kind, after }, this.#catalog);
    if (own !== undefined) return own;
    const field = this.#fields.get(String(value));
    if (field === undefined || (after === undefined && String(value).length < 8)) return undefined;
    return referentOf({ ...field, kind }, this.#catalog);
  }

  #add(value: Json | undefined, after: string | undefined): void {
    if (Array.isArray(value)) {
      for (const item of value) this.#add(item, after);
    } else if (isRecord(value)) {
      for (const [name, member] of Object.entries(value as JsonObject)) {
        if (typeof member === "object") this.#add(member, Array.isArray(member) ? name : after);
        else if (ID_FIELD.test(snakeCase(name)) && !this.#fields.has(String(member))) {
          this.#fields.set(String(member), { name, after });
        }
      }
    }
  }
}

function kindOf(value: Json | undefined): NamedValue["kind"] | undefined {
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : undefined;
  if (typeof value !== "string" || value === "") return undefined;
  if (/^\d+$/.test(value)) return "integer";
  return UUID.test(value) ? "uuid" : "text";
}

/** In the order of the recording. */
function kindsOf(requests: readonly SentRequest[], produced: ProducedIds): readonly Kind[] {
  const kinds = new Map<string, Kind & { readonly requests: SentRequest[] }>();
  for (const request of requests) {
    const path = templateOf(request, produced);
    const { method, type, isWhole, values } = request;
    const key = JSON.stringify([method, path, type, isWhole, Object.keys(values).sort()]);
    const kind = kinds.get(key) ?? { method: request.method, path, requests: [] };
    kind.requests.push(request);
    kinds.set(key, kind);
  }
  return [...kinds.values()];
}

/** The path with names in place of ids: `/orders/:id/cancel`. */
function templateOf({ segments, values }: SentRequest, produced: ProducedIds): string {
  const isId = (segment: string) => looksLikeId(segment) || produced.has(segment);
  const count = segments.filter(isId).length;
  const names = new Set(Object.keys(values));
  const parts = segments.map((segment, at) => {
    if (!isId(segment)) return segment;
    const before = segments[at - 1];
    const full = `${singular(snakeCase(before ?? "")).replace(/\W/g, "")}_id`.replace(/^_/, "");
    let name = count === 1 && !names.has("id") ? "id" : full;
    while (names.has(name)) name += "_";
    names.add(name);
    return `:${name}`;
  });
  return `/${parts.join("/")}`;
}

/** The method and the path, and the names of its arguments if others have these too. */
function nameOf(kind: Kind, kinds: readonly Kind[]): string {
  const name = `${kind.method} ${kind.path}`;
  const first = kinds.find(({ method, path }) => `${method} ${path}` === name);
  const values = Object.keys(kind.requests[0]?.values ?? {});
  return first === kind ? name : `${name} {${values.join(", ")}}`;
}

type ReferentOf = ProducedIds["referentOf"];

function operationOf({ method, path, requests }: Kind, referent: ReferentOf): RequestOperation {
  const parts = path.split("/").slice(1);
  const inPath = parts.flatMap((part, at) => {
    if (!part.startsWith(":")) return [];
    const values = requests.map(({ segments }) => segments[at] ?? "");
    return [[part.slice(1), argumentOf(part.slice(1), values, referent, parts[at - 1] ?? "")]];
  });
  const names = Object.keys(requests[0]?.values ?? {});
  const others = names.map((name) => [
    name,
    argumentOf(
      name,
      requests.map(({ values }) => values[name] ?? null),
      referent,
    ),
  ]);
  const headers = new Set(requests.flatMap((request) => Object.keys(request.headers)));
  const sent = [...headers].map((name) => [
    name,
    oneOf(requests.flatMap((request) => request.headers[name] ?? [])),
  ]);
  const builder = http[method.toLowerCase() as "get" | "post" | "put" | "patch" | "delete"];
  const values: Arguments = Object.fromEntries([...inPath, ...others]);
  const { type = "json", isWhole = false } = requests[0] ?? {};
  const operation = builder(path as "/", values, {
    headers: Object.fromEntries(sent),
    ...(type !== "json" && { type }),
  });
  return isWhole ? { ...operation, http: { ...operation.http, body: "body" } } : operation;
}

/** A reference to a row where each recorded value is one of the same column, else the recorded values. */
function argumentOf(
  name: string,
  values: readonly Json[],
  referent: ReferentOf,
  after?: string,
): Argument {
  const columns = new Set(values.map((value) => referent(value, name, after)));
  const [column] = columns;
  if (columns.size === 1 && column !== undefined) return rowOf(column);
  const [first] = values;
  const haveShape = (shape: string) => values.every((value) => shapeOf(value) === shape);
  if (isRecord(first) && haveShape(shapeOf(first))) {
    const members = values as readonly JsonObject[];
    return Object.fromEntries(
      Object.keys(first).map((member) => [
        member,
        argumentOf(
          member,
          members.map((one) => one[member] ?? null),
          referent,
        ),
      ]),
    );
  }
  if (Array.isArray(first) && haveShape(shapeOf(first))) {
    const lists = values as readonly (readonly Json[])[];
    return first.map((_, at) =>
      argumentOf(
        name,
        lists.map((one) => one[at] ?? null),
        referent,
      ),
    );
  }
  return oneOf(values);
}

/** Equal for lists of one length, and for objects with the same members. */
function shapeOf(value: Json): string {
  if (Array.isArray(value)) return `[${value.length}]`;
  return isRecord(value) ? Object.keys(value).sort().join() : "";
}

/** Few: what was recorded often is not chosen more often. */
function oneOf(values: readonly Json[]): Argument {
  const distinct = [...new Map(values.map((value) => [JSON.stringify(value), value])).values()];
  return fc.constantFrom(...distinct);
}
