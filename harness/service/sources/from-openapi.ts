import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { HarnessError } from "../../core/error.ts";
import type { Json, JsonObject } from "../../core/json.ts";
import { isRecord, isText } from "../definition-members.ts";
import {
  type Argument,
  type Arguments,
  type HttpMethod,
  optional,
  type RequestOperation,
  type RequestOptions,
} from "../operation-definition.ts";
import { bodyTypeOf } from "../request-body.ts";
import { BODY_TYPES, type BodyType } from "../scenario-definition.ts";
import { type OperationOverrides, type OperationSource, overridden } from "./operation-source.ts";
import { SchemaValues } from "./schema-values.ts";

/**
 * Every operation of an OpenAPI document (3.1, 3.0 or 2.0, in JSON or YAML), by its `operationId`; without one, by its
 * method and path. Values follow from the schemas; a value whose name is that of a table's key or of a foreign
 * key, such as `id` in `/orders/{id}`, is the id of a row. Overrides are by the name of the operation.
 *
 * ```ts
 * operations: fromOpenApi("openapi.json", {
 *   transfer: { from: rowOf("customers.id"), to: rowOf("customers.id") },
 *   health: false,
 * }),
 * ```
 *
 * @param document its path beside the definition, or the document itself
 * @param options what every request has besides, such as an authorization
 */
export function fromOpenApi(
  document: string | object,
  overrides: OperationOverrides = {},
  { headers = {} }: RequestOptions = {},
): OperationSource {
  const source = isText(document) ? `fromOpenApi("${document}")` : "fromOpenApi({ … })";
  return {
    source,
    operations: ({ catalog, file }) => {
      const read = isText(document) ? readDocument(document, file, source) : document;
      if (!isRecord(read) || !isRecord(read["paths"])) {
        throw new HarnessError("USAGE", `${source} is no OpenAPI document: it has no \`paths\``);
      }
      const values = new SchemaValues(read as JsonObject, catalog);
      return overridden(operationsOf(read as JsonObject, values, headers), overrides, source);
    },
  };
}

function readDocument(path: string, file: URL, source: string): unknown {
  let text: string;
  try {
    text = readFileSync(new URL(path, file), "utf8");
  } catch (cause) {
    throw new HarnessError("USAGE", `${source}: there is no such file beside the definition`, {
      cause,
    });
  }
  const isYaml = /\.ya?ml$/.test(path);
  try {
    return isYaml ? parsedYaml(text) : JSON.parse(text);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new HarnessError("USAGE", `${source} is no ${isYaml ? "YAML" : "JSON"}: ${why}`, {
      cause,
    });
  }
}

/** Loaded when it is needed: few documents are in YAML. Throws for a text that is none. */
export function parsedYaml(text: string): unknown {
  const yaml = createRequire(import.meta.url)("yaml") as typeof import("yaml");
  return yaml.parse(text);
}

const METHODS = ["get", "post", "put", "patch", "delete"] as const;

function operationsOf(
  document: JsonObject,
  values: SchemaValues,
  headers: Arguments,
): { readonly [name: string]: RequestOperation } {
  const base = basePath(document);
  const operations: Record<string, RequestOperation> = {};
  for (const [path, given] of Object.entries(document["paths"] as JsonObject)) {
    const item = values.resolved(given);
    for (const method of METHODS) {
      const operation = values.resolved(item[method] ?? null);
      if (item[method] === undefined) continue;
      const id = operation["operationId"];
      const name = isText(id) ? id : `${method.toUpperCase()} ${path}`;
      const parameters = [...listOf(item["parameters"]), ...listOf(operation["parameters"])].map(
        (parameter) => values.resolved(parameter),
      );
      operations[name] = requestOf(
        { method: method.toUpperCase() as HttpMethod, path: `${base}${path}` },
        parameters,
        bodyOf(operation, parameters, values),
        { values, headers },
      );
    }
  }
  return operations;
}

/** Such as `/api/v1`: services that Heddle starts have another host. */
function basePath(document: JsonObject): string {
  const [server] = listOf(document["servers"]);
  const url = isRecord(server) && isText(server["url"]) ? server["url"] : "";
  const path = isText(document["basePath"]) ? document["basePath"] : pathOf(url);
  return path.replace(/\/+$/, "");
}

function pathOf(url: string): string {
  if (url.includes("{")) return "";
  try {
    return new URL(url, "http://localhost").pathname;
  } catch {
    return "";
  }
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

/** The schema of a body, and how it is sent. */
interface Body {
  readonly schema: Json;
  readonly type: BodyType;
  /** The media type of a text that is not plain. */
  readonly mediaType?: string;
}

function bodyOf(
  operation: JsonObject,
  parameters: readonly JsonObject[],
  values: SchemaValues,
): Body | undefined {
  const inBody = parameters.find((parameter) => parameter["in"] === "body");
  if (inBody !== undefined) return { schema: inBody["schema"] ?? {}, type: "json" };
  const fields = parameters.filter((parameter) => parameter["in"] === "formData");
  if (fields.length > 0) return formOf(operation, fields);
  const body = values.resolved(operation["requestBody"] ?? null);
  const content = Object.entries(values.resolved(body["content"] ?? null));
  for (const type of BODY_TYPES) {
    const found = content.find(([media]) => bodyTypeOf(media) === type);
    if (found === undefined) continue;
    const [mediaType, media] = found;
    const schema = values.resolved(media)["schema"] ?? {};
    return { schema, type, ...(type === "text" && { mediaType }) };
  }
  return undefined;
}

/** OpenAPI 2.0 describes each field of a form as a parameter. */
function formOf(operation: JsonObject, fields: readonly JsonObject[]): Body {
  const named = fields.map((field) => [
    String(field["name"]),
    field["type"] === "file" ? { type: "string", format: "binary" } : field,
  ]);
  const required = fields.filter((field) => field["required"] === true);
  const isMultipart =
    fields.some((field) => field["type"] === "file") ||
    listOf(operation["consumes"]).includes("multipart/form-data");
  return {
    type: isMultipart ? "multipart" : "form",
    schema: {
      type: "object",
      properties: Object.fromEntries(named) as JsonObject,
      required: required.map((field) => String(field["name"])),
    },
  };
}

function requestOf(
  { method, path }: { readonly method: HttpMethod; readonly path: string },
  parameters: readonly JsonObject[],
  body: Body | undefined,
  { values, headers }: { readonly values: SchemaValues; readonly headers: Arguments },
): RequestOperation {
  const inPath: Record<string, Argument> = {};
  const query: Record<string, Argument> = {};
  const given: Record<string, Argument> = { ...headers };
  let filled = path;
  for (const [whole, name = ""] of path.matchAll(/\{([^}]+)\}/g)) {
    const parameter = parameters.find((one) => one["in"] === "path" && one["name"] === name) ?? {};
    const key = name.replaceAll(/\W/g, "_");
    const [, after] = new RegExp(`([^/{}]+)/\\{${escaped(name)}\\}`).exec(path) ?? [];
    inPath[key] = values.argument({ ...describedBy(parameter, name), after, anyType: true });
    filled = filled.replace(whole, `:${key}`);
  }
  for (const parameter of parameters) {
    const name = String(parameter["name"]);
    const place = parameter["in"];
    if (place !== "query" && place !== "header") continue;
    const isKey = place === "header" && /^idempotency-key$/i.test(name);
    if (parameter["required"] !== true && !isKey) continue;
    const into = place === "query" ? query : given;
    into[name] = values.argument({ ...describedBy(parameter, name), anyType: true });
  }
  const { type = "json", mediaType } = body ?? {};
  if (mediaType !== undefined) given["content-type"] = mediaType;
  const members = body === undefined || type === "text" ? undefined : values.members(body.schema);
  const whole =
    body !== undefined && members === undefined
      ? { body: values.argument({ name: "body", schema: body.schema, description: "" }) }
      : {};
  const inBody = Object.fromEntries(
    (members ?? []).map(({ name, value, required }) => [name, required ? value : optional(value)]),
  );
  return {
    http: {
      ...{ method, path: filled, headers: given },
      ...(Object.keys(query).length > 0 && { query: Object.keys(query) }),
      ...("body" in whole && { body: "body" }),
    },
    arguments: { ...inBody, ...whole, ...query, ...inPath },
    ...(type !== "json" && { type }),
  };
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** OpenAPI 2.0 has the type of a parameter in the parameter itself. */
function describedBy(parameter: JsonObject, name: string) {
  const { schema = parameter, description = "" } = parameter;
  return { name, schema, description: String(description) };
}
