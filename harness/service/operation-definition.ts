import fc, { type Arbitrary } from "fast-check";
import type { Snapshot } from "../core/execution.ts";
import type { Json, JsonObject } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import { isFunction, isRecord, isText } from "./definition-members.ts";
import { textOf } from "./request-body.ts";
import type { RowReference } from "./row-reference.ts";
import { BODY_TYPES, type BodyType, type ClientQuery } from "./scenario-definition.ts";

/**
 * A value that an operation is sent with: an arbitrary of fast-check, such as `fc.integer()` or
 * `rowOf("items.id")`; a constant; or an object or a list of these.
 */
export type Argument =
  | Arbitrary<unknown>
  | string
  | number
  | boolean
  | null
  | readonly Argument[]
  | { readonly [name: string]: Argument };

/**
 * Marks an argument that is left out in some of the generated operations. It is shared by all copies of this package:
 * the command may be another one than the definition imports.
 */
const OPTIONAL = Symbol.for("heddle.optional");

/** An argument that is left out in some of the generated operations. */
export function optional(argument: Argument): Argument {
  return { [OPTIONAL]: argument } as unknown as Argument;
}

function optionalIn(argument: Argument): Argument | undefined {
  return isRecord(argument) && OPTIONAL in argument ? (argument[OPTIONAL] as Argument) : undefined;
}

/** Arguments by name. */
export type Arguments = { readonly [name: string]: Argument };

/** The names of the parameters of a path: `"id"` of `/orders/:id/cancel`. */
export type PathParameters<Path extends string> =
  Path extends `${string}:${infer Name}/${infer Rest}`
    ? Name | PathParameters<`/${Rest}`>
    : Path extends `${string}:${infer Name}`
      ? Name
      : never;

/** Arguments among which are all parameters of the path. */
export type PathArguments<Path extends string> = Arguments & {
  readonly [name in PathParameters<Path>]: Argument;
};

/** What an operation has besides its arguments, however it is performed. */
export interface OperationOptions {
  /**
   * The part of an answer that counts, such as an answer without the number of rows that a concurrent
   * operation may have taken away. Default: all of it.
   */
  readonly answer?: (body: Json) => Json;
}

/** What a request has besides its path and its arguments. */
export interface RequestOptions extends OperationOptions {
  /** The name of the sender: one of `identities`. Default: the request has no identity. */
  readonly as?: Argument;
  /** Makes the body. Default: an object of the arguments that are not in the path. */
  readonly body?: (values: JsonObject) => Json;
  /** Such as `{ "idempotency-key": fc.constantFrom("a", "b") }`. */
  readonly headers?: Arguments;
  /**
   * Whether a client that got no answer sends the request again, with the same arguments and headers, where
   * `--faults` has `retry`. Default: true.
   */
  readonly retry?: boolean;
  /**
   * How the arguments that are neither in the path nor in the query are sent: as JSON, as the fields of a form
   * (`"form"`, or `"multipart"`, where `{ filename, content }` is a file), or, if there is one alone, as text.
   * Default: `"json"`.
   */
  readonly type?: BodyType;
}

/** The method of a request. */
export type HttpMethod = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** A request to the service. */
export interface RequestOperation extends OperationOptions {
  readonly http: {
    readonly method: HttpMethod;
    /** With parameters: `/orders/:id`. */
    readonly path: string;
    readonly headers: Arguments;
    /** The names of arguments that are part of the query, whatever the method is. Default: none. */
    readonly query?: readonly string[];
    /** The name of the argument that is the whole body, or what makes it. Default: an object of arguments. */
    readonly body?: string | ((values: JsonObject) => Json);
  };
  /**
   * Those of the path's parameters are part of the path; the others are sent as JSON, or in the query of a
   * GET or a DELETE.
   */
  readonly arguments: Arguments;
  /** See `RequestOptions`. */
  readonly as?: Argument;
  /** See `RequestOptions`. */
  readonly retry?: boolean;
  /** See `RequestOptions`. */
  readonly type?: BodyType;
}

/** A statement that a client of the database executes; its answer is the rows. */
export interface StatementOperation extends OperationOptions {
  readonly sql: string;
  /** By the number of the parameter: `$1`. */
  readonly arguments: Arguments;
}

/** What a function of an operation may use. */
export interface CallContext {
  /** From 0. */
  readonly client: number;
  /** Executes a statement on the client's own connection, through the gates. */
  readonly query: ClientQuery;
  /** The URL of the service. Undefined if the definition has none. */
  readonly service: string | undefined;
  /** Ends requests that are under way when the system stops. */
  readonly signal: AbortSignal;
}

/** A function in this process that performs an operation. Its answer is what the function returns. */
export interface CallOperation extends OperationOptions {
  readonly call: (values: JsonObject, context: CallContext) => unknown;
  readonly arguments: Arguments;
}

/** A way to perform an operation, and its arguments. */
export type OperationDefinition = RequestOperation | StatementOperation | CallOperation;

/** Makes operations of one HTTP method. */
export type RequestBuilder = <Path extends string>(
  path: Path,
  ...rest: [PathParameters<Path>] extends [never]
    ? [values?: Arguments, options?: RequestOptions]
    : [values: PathArguments<Path>, options?: RequestOptions]
) => RequestOperation;

function request(method: HttpMethod): RequestBuilder {
  return (path, ...[values = {}, { headers = {}, body, ...options } = {}]) => ({
    http: { method, path, headers, ...(body && { body }) },
    arguments: values,
    ...options,
  });
}

/**
 * Operations over HTTP. An argument whose name is a parameter of the path goes there; all others are the
 * body, or the query of a GET or a DELETE.
 *
 * ```ts
 * order: http.post("/orders", { item: rowOf("items.id"), quantity: fc.integer({ min: 1, max: 3 }) }),
 * ```
 */
export const http: {
  readonly get: RequestBuilder;
  readonly post: RequestBuilder;
  readonly put: RequestBuilder;
  readonly patch: RequestBuilder;
  readonly delete: RequestBuilder;
} = {
  get: request("GET"),
  post: request("POST"),
  put: request("PUT"),
  patch: request("PATCH"),
  delete: request("DELETE"),
};

/**
 * A statement that a client of the database executes, such as the call of a function. Its arguments are
 * the parameters `$1`, `$2`, ….
 *
 * ```ts
 * claim: sql("select claim_slot($1, $2)", [rowOf("slots.id"), fc.constantFrom("ada", "bob")]),
 * ```
 */
export function sql(
  text: string,
  parameters: readonly Argument[] = [],
  options: OperationOptions = {},
): StatementOperation {
  const values = Object.fromEntries(parameters.map((value, at) => [`$${at + 1}`, value]));
  return { sql: text, arguments: values, ...options };
}

/**
 * An operation that a function in this process performs: with a client library, or with several requests.
 * Each statement goes through the gates if it is executed by `query` or on the service's connections.
 *
 * ```ts
 * refill: call({ item: rowOf("items.id"), count: 5 }, async ({ item, count }, { query }) => {
 *   await query("update items set stock = stock + $2 where id = $1", [item, count]);
 * }),
 * ```
 */
export function call<const Values extends Arguments>(
  values: Values,
  perform: (values: CallValues<Values>, context: CallContext) => unknown,
  options: OperationOptions = {},
): CallOperation {
  return { call: perform as CallOperation["call"], arguments: values, ...options };
}

/** What a function of an operation gets: the generated values of its arguments, with ids in place of references. */
export type CallValues<Values> = { readonly [name in keyof Values]: CallValue<Values[name]> };

/** The generated value of one argument. */
export type CallValue<Given> =
  Given extends Arbitrary<RowReference>
    ? Json
    : Given extends Arbitrary<infer Generated>
      ? Generated
      : Given;

/** The operations of a definition, in their generated form: the name, and the arguments beside it. */
export type DefinedOperation = Operation;

/** The state that a scenario begins in: the one after these operations, one after the other. */
export type DefinedState = {
  readonly prefix: readonly DefinedOperation[];
  /** The rows before an attack on a deployment, which no operation has made. */
  readonly rows?: Snapshot;
};

/** An operation's own members are its name and its sender: an argument of such a name gets a mark. */
const MARK = "'";

const HEADER = "header ";

/** The member with the name of the sender. */
const SENDER = "as";

/** Generates operations of that name. */
export function arbitraryOf(
  name: string,
  definition: OperationDefinition,
): Arbitrary<DefinedOperation> {
  const { as, http } = { as: undefined, http: { headers: {} }, ...definition };
  const members = [
    ...Object.entries(definition.arguments).map(([argument, value]) => [keyOf(argument), value]),
    ...Object.entries(http.headers).map(([header, value]) => [`${HEADER}${header}`, value]),
    ...(as === undefined ? [] : [[SENDER, as]]),
  ] as [string, Argument][];
  return recordOf(members).map((generated) => ({ name, ...generated }));
}

function recordOf(members: readonly (readonly [string, Argument])[]): Arbitrary<JsonObject> {
  const values = members.map(
    ([key, value]) => [key, arbitraryOfArgument(optionalIn(value) ?? value)] as const,
  );
  const requiredKeys = members.flatMap(([key, value]) =>
    optionalIn(value) === undefined ? key : [],
  );
  return fc
    .record(Object.fromEntries(values), { requiredKeys })
    .map((generated) => ({ ...generated }) as JsonObject);
}

function keyOf(argument: string): string {
  return ["name", SENDER].includes(argument) ? `${argument}${MARK}` : argument;
}

/** Generates values of an argument. */
export function arbitraryOfArgument(value: Argument): Arbitrary<Json> {
  if (isArbitrary(value)) return value as Arbitrary<Json>;
  if (Array.isArray(value)) return fc.tuple(...value.map(arbitraryOfArgument)).map((all) => all);
  return isRecord(value)
    ? recordOf(Object.entries(value as Arguments))
    : fc.constant(value as Json);
}

/** Not by its class: the user's fast-check may be another copy. */
function isArbitrary(value: unknown): value is Arbitrary<unknown> {
  return value instanceof Object && "generate" in value && "canShrinkWithoutContext" in value;
}

/** The arguments and headers of a generated operation, by their own names, and its sender. */
export function argumentsOf({ name: _, [SENDER]: sender, ...members }: DefinedOperation): {
  readonly values: JsonObject;
  readonly headers: JsonObject;
  readonly as: string | undefined;
} {
  const entries = Object.entries(members);
  const isHeader = ([key]: [string, Json]) => key.startsWith(HEADER);
  return {
    values: Object.fromEntries(
      entries
        .filter((entry) => !isHeader(entry))
        .map(([key, value]) => [key.endsWith(MARK) ? key.slice(0, -MARK.length) : key, value]),
    ),
    headers: Object.fromEntries(
      entries.filter(isHeader).map(([key, value]) => [key.slice(HEADER.length), value]),
    ),
    as: sender === undefined ? undefined : String(sender),
  };
}

/** The parameters of a path: `id` of `/orders/:id/cancel`. */
const PARAMETER = /:(\w+)/g;

/** The request of an operation whose references are resolved. */
export function requestOf(
  { http: { method, path, query = [], body }, type }: RequestOperation,
  operation: DefinedOperation,
): {
  readonly method: HttpMethod;
  readonly path: string;
  readonly headers: { readonly [name: string]: string };
  readonly body?: Json;
  readonly type?: BodyType;
} {
  const { values, headers } = argumentsOf(operation);
  const inPath = new Set([...path.matchAll(PARAMETER)].map(([, name]) => name));
  const rest = Object.entries(values).filter(([name]) => !inPath.has(name));
  const filled = path.replace(PARAMETER, (_, name: string) =>
    encodeURIComponent(textOf(values[name])),
  );
  const given = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, textOf(value)]),
  );
  const hasBody = method !== "GET" && method !== "DELETE";
  const isInQuery = ([name]: [string, Json]) => !hasBody || query.includes(name);
  const asked = rest.filter(isInQuery);
  const search = new URLSearchParams(
    Object.fromEntries(asked.map(([name, value]) => [name, textOf(value)])),
  );
  const target = asked.length === 0 ? filled : `${filled}?${search}`;
  if (!hasBody) return { method, path: target, headers: given };
  if (typeof body === "function")
    return { method, path: target, headers: given, body: body(values) };
  const sent = Object.fromEntries(rest.filter((entry) => !isInQuery(entry)));
  // A text is the only argument that is left.
  const whole = type === "text" ? Object.keys(sent)[0] : body;
  return {
    ...{ method, path: target, headers: given },
    body: whole === undefined ? sent : (sent[whole] ?? null),
    ...(type !== undefined && { type }),
  };
}

/** What is wrong with an operation of a definition; undefined if nothing is. */
export function operationProblem(value: unknown): string | undefined {
  if (!isRecord(value) || !isRecord(value["arguments"])) {
    return "is none of `http.get(…)`, `http.post(…)`, …, `sql(…)`, `call(…)`";
  }
  if (isText(value["sql"]) || isFunction(value["call"])) return undefined;
  const { http } = value;
  if (!isRecord(http) || !isText(http["path"])) return "has a path that is not a text";
  const { type = "json" } = value;
  if (!BODY_TYPES.some((one) => one === type)) {
    return `has a \`type\` that is none of ${BODY_TYPES.map((one) => `"${one}"`).join(", ")}`;
  }
  const given = value["arguments"];
  const missing = [...http["path"].matchAll(PARAMETER)].find(([, name = ""]) => !(name in given));
  return missing && `has no argument for ${missing[0]} in its path`;
}
