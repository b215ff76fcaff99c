import fc, { type Arbitrary } from "fast-check";
import type { Json, JsonObject } from "../../core/json.ts";
import { isRecord, isText } from "../definition-members.ts";
import { type Argument, arbitraryOfArgument, optional } from "../operation-definition.ts";
import { rowOf } from "../row-reference.ts";
import type { SchemaCatalog } from "./catalog.ts";
import { FEW, few, fewNumbers, fewTexts, orNull } from "./few-values.ts";
import { type NamedValue, referentOf } from "./referent.ts";

/** A value that a schema describes. */
export interface SchemaValue {
  readonly name: string;
  readonly schema: Json;
  readonly description: string;
  /** See `NamedValue`. */
  readonly after?: string | undefined;
  /** Whether it is sent as a text whatever its type is, as in a path. Default: false. */
  readonly anyType?: boolean;
}

/** A property of an object that a schema describes. */
export interface SchemaMember {
  readonly name: string;
  readonly value: Argument;
  readonly required: boolean;
}

/** Schemas within schemas; deeper ones give null. */
const MOST_DEPTH = 6;

/** Values for JSON schemas, as OpenAPI documents have them: few, with the edges of what a schema allows. */
export class SchemaValues {
  readonly #document: JsonObject;
  readonly #catalog: SchemaCatalog;

  constructor(document: JsonObject, catalog: SchemaCatalog) {
    this.#document = document;
    this.#catalog = catalog;
  }

  /** The object that a value is, or that its `$ref` names within the document; empty for anything else. */
  resolved(value: Json): JsonObject {
    let found = value;
    for (let depth = 0; depth < MOST_DEPTH; depth++) {
      if (!isRecord(found)) return {};
      const reference = found["$ref"];
      if (!isText(reference)) return found as JsonObject;
      found = this.#at(reference);
    }
    return {};
  }

  /** A JSON pointer (RFC 6901) to a place in the document. */
  #at(pointer: string): Json {
    if (!pointer.startsWith("#/")) return null;
    const path = pointer
      .slice(2)
      .split("/")
      .map((part) => decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~"));
    let found: Json = this.#document;
    for (const name of path) found = isRecord(found) ? ((found as JsonObject)[name] ?? null) : null;
    return found;
  }

  /** The properties of an object that a client sends; undefined if the schema describes no object. */
  members(schema: Json, depth = 0): readonly SchemaMember[] | undefined {
    const whole = this.#merged(schema, depth);
    if (!isRecord(whole["properties"])) return undefined;
    const required = Array.isArray(whole["required"]) ? whole["required"] : [];
    return Object.entries(whole["properties"] as JsonObject).flatMap(([name, property]) => {
      const described = this.resolved(property);
      if (described["readOnly"] === true) return [];
      const description = String(described["description"] ?? "");
      const value = this.argument({ name, schema: property, description }, depth + 1);
      return { name, value, required: required.includes(name) };
    });
  }

  argument(value: SchemaValue, depth = 0): Argument {
    const schema = this.#merged(value.schema, depth);
    if (depth > MOST_DEPTH) return null;
    if ("const" in schema) return schema["const"] as Argument;
    if (Array.isArray(schema["enum"])) return fc.constantFrom(...schema["enum"]);
    const choices = [schema["oneOf"], schema["anyOf"]].find(Array.isArray);
    if (choices !== undefined) return this.#anyOf(value, choices, depth);
    const types = [schema["type"] ?? []].flat().filter(isText);
    if (types.length > 0 && types.every((one) => one === "null")) return null;
    const [type = typeOf(schema), ...others] = types.filter((one) => one !== "null");
    if (others.length > 0) {
      const each = [type, ...others].map((one) => ({ ...schema, type: one }));
      return this.#anyOf(value, each, depth);
    }
    const isNullable = types.includes("null") || schema["nullable"] === true;
    const referent = this.#referentOf(value, schema, type);
    const values =
      referent === undefined ? this.#ofType(value, schema, type, depth) : rowOf(referent);
    return isNullable ? orNull(arbitraryOfArgument(values)) : values;
  }

  #anyOf(value: SchemaValue, schemas: readonly Json[], depth: number): Argument {
    const each = schemas.map((schema) => this.argument({ ...value, schema }, depth + 1));
    return fc.oneof(...each.map(arbitraryOfArgument));
  }

  #referentOf(value: SchemaValue, schema: JsonObject, type: string) {
    const format = schema["format"];
    const kinds: { readonly [type: string]: NamedValue["kind"] } = {
      integer: "integer",
      number: "integer",
      string: format === "uuid" ? "uuid" : "text",
    };
    const kind = value.anyType ? "any" : kinds[type];
    if (kind === undefined || type === "boolean" || type === "array") return undefined;
    const { name, after } = value;
    const description = value.description || String(schema["description"] ?? "");
    return referentOf({ name, kind, after, description }, this.#catalog);
  }

  #ofType(value: SchemaValue, schema: JsonObject, type: string, depth: number): Argument {
    switch (type) {
      case "boolean":
        return fc.boolean();
      case "integer":
      case "number":
        return numbersOf(schema);
      case "array":
        return this.#listOf(value, schema, depth);
      case "object": {
        const members = this.members(schema, depth) ?? [];
        return Object.fromEntries(
          members.map((one) => [one.name, one.required ? one.value : optional(one.value)]),
        );
      }
      default:
        return textsOf(value.name, schema);
    }
  }

  #listOf(value: SchemaValue, schema: JsonObject, depth: number): Argument {
    const least = numberOf(schema["minItems"]) ?? 0;
    const most = Math.max(least, Math.min(numberOf(schema["maxItems"]) ?? 2, Math.max(2, least)));
    const name = value.name.replace(/s$/, "");
    const item = this.argument({ ...value, name, schema: schema["items"] ?? {} }, depth + 1);
    const lengths = { minLength: Math.max(least, Math.min(1, most)), maxLength: most };
    return fc.array(arbitraryOfArgument(item), lengths);
  }

  /** The schema with those that `allOf` adds to it. */
  #merged(given: Json, depth: number): JsonObject {
    const { allOf, ...schema } = this.resolved(given);
    if (!Array.isArray(allOf) || depth > MOST_DEPTH) return schema;
    const parts = [...allOf.map((part: Json) => this.#merged(part, depth + 1)), schema];
    const properties = parts.map((part) => part["properties"] ?? {}) as JsonObject[];
    const required = parts.flatMap((part) => (part["required"] ?? []) as string[]);
    return {
      ...Object.assign({}, ...parts),
      ...(properties.some((one) => Object.keys(one).length > 0) && {
        properties: Object.assign({}, ...properties) as JsonObject,
      }),
      ...(required.length > 0 && { required }),
    };
  }
}

function typeOf(schema: JsonObject): string {
  if ("properties" in schema) return "object";
  return "items" in schema ? "array" : "string";
}

function numberOf(value: Json | undefined): number | undefined {
  return typeof value === "number" ? value : undefined;
}

/** From the least number that is allowed, or 1. Edges that are excluded are of OpenAPI 3.1 or of 3.0. */
function numbersOf(schema: JsonObject): Arbitrary<Json> {
  const step = numberOf(schema["multipleOf"]) ?? 1;
  const [least, most] = [numberOf(schema["minimum"]), numberOf(schema["maximum"])];
  const [above, below] = [schema["exclusiveMinimum"], schema["exclusiveMaximum"]];
  const from =
    numberOf(above) !== undefined
      ? Number(above) + step
      : above === true
        ? (least ?? 0) + step
        : least;
  const to =
    numberOf(below) !== undefined
      ? Number(below) - step
      : below === true
        ? (most ?? 0) - step
        : most;
  const greatest = to ?? Number.POSITIVE_INFINITY;
  return fewNumbers(from ?? Math.min(1, greatest), greatest, step);
}

/** A small file of text (see `encodedBody`). */
const FILE = { filename: "file.txt", content: "a file" };

const FORMATS: { readonly [format: string]: Arbitrary<Json> } = {
  uuid: FEW.uuid,
  "date-time": FEW.time,
  date: FEW.date,
  time: FEW.clock,
  duration: FEW.duration,
  email: FEW.email,
  uri: FEW.url,
  url: FEW.url,
  ipv4: FEW.address,
  binary: fc.constant(FILE),
};

function textsOf(name: string, schema: JsonObject): Arbitrary<Json> {
  const { format, pattern, example, examples } = schema;
  const given = [example ?? [], examples ?? []].flat().filter(isText);
  if (given.length > 0) return fc.constantFrom(...given);
  const formatted = isText(format) ? FORMATS[format] : undefined;
  if (formatted !== undefined) return formatted;
  if (isText(pattern)) return few(fc.stringMatching(new RegExp(pattern, "u")));
  if (/email/i.test(name)) return FEW.email;
  return fewTexts(name, numberOf(schema["minLength"]), numberOf(schema["maxLength"]));
}
