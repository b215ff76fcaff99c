/*
 * The pieces of the schemas that the records of commands are checked against before a page shows them.
 */
import { Ajv2020, type Schema, type ValidateFunction } from "ajv/dist/2020.js";

export const TEXT = { type: "string" } as const;
export const NUMBER = { type: "number" } as const;
export const COUNT = { type: "integer", minimum: 0 } as const;
export const TEXTS = { type: "array", items: TEXT } as const;
export const VERDICT = oneOf("pass", "fail", "unknown");

/** An object that has at least these members. */
export function object(properties: { readonly [name: string]: Schema }): Schema {
  return { type: "object", required: Object.keys(properties), properties };
}

export function listOf(items: Schema): Schema {
  return { type: "array", items };
}

export function orNull(schema: Schema): Schema {
  return { anyOf: [{ type: "null" }, schema] };
}

export function oneOf(...names: readonly string[]): Schema {
  return { enum: names };
}

/** The members of a `Provenance`. */
export const PROVENANCE = {
  startedAt: TEXT,
  environment: object({
    ...{ heddle: TEXT, node: TEXT, platform: TEXT, cpus: COUNT },
    postgres: object({ provider: TEXT, version: TEXT }),
  }),
  hashes: { type: "object", additionalProperties: TEXT },
};

/**
 * A type guard for values that keep to a schema. Compiles the schema when it first gets a value:
 * most folders hold no records, and compiling takes longer than an execution.
 */
export function guardFor<T>(schema: Schema): (value: unknown) => value is T {
  let validate: ValidateFunction<T> | undefined;
  return (value): value is T => {
    if (value === undefined) return false;
    validate ??= new Ajv2020({ meta: false, validateSchema: false }).compile<T>(schema);
    return validate(value);
  };
}
