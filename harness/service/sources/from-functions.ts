import fc, { type Arbitrary } from "fast-check";
import type { Json } from "../../core/json.ts";
import type { Argument, StatementOperation } from "../operation-definition.ts";
import { sql } from "../operation-definition.ts";
import { rowOf } from "../row-reference.ts";
import type { CatalogFunction, SchemaCatalog } from "./catalog.ts";
import { FEW, fewNumbers, fewTexts, orNull } from "./few-values.ts";
import { type OperationOverrides, type OperationSource, overridden } from "./operation-source.ts";
import { type NamedValue, referentOf, snakeCase } from "./referent.ts";

/**
 * Every function and procedure of a schema that a client can call, as an operation of its name. An argument
 * whose name is that of a table's key or of a foreign key (`slot_id`, `p_slot_id`) is the id of a row; all
 * others have few values of their type. Overrides are by the name of the function, and their arguments by the
 * name of the parameter.
 *
 * ```ts
 * operations: fromFunctions("public", { refresh_report: false }),
 * ```
 */
export function fromFunctions(
  schema = "public",
  overrides: OperationOverrides = {},
): OperationSource {
  const source = `fromFunctions("${schema}")`;
  return {
    source,
    operations: ({ catalog }) => {
      const functions = catalog.functions.filter((one) => one.schema === schema);
      const named = functions.map((one) => [nameOf(one, functions), one] as const);
      const operations = Object.fromEntries(
        named.map(([name, one]) => [name, operationOf(one, catalog)]),
      );
      const parameters = new Map(
        named.map(([name, one]) => [name, one.parameters.map((parameter) => parameter.name)]),
      );
      return overridden(operations, byNumber(overrides, parameters), source);
    },
  };
}

/** Functions of one name have the types of their parameters besides. */
function nameOf({ name, parameters }: CatalogFunction, all: readonly CatalogFunction[]): string {
  if (all.filter((other) => other.name === name).length === 1) return name;
  return `${name}(${parameters.map(({ type }) => type).join(", ")})`;
}

function operationOf(
  { schema, name, procedure, parameters }: CatalogFunction,
  catalog: SchemaCatalog,
): StatementOperation {
  const given = parameters.map(({ type }, at) => `$${at + 1}::${type}`).join(", ");
  const call = `${quoted(schema)}.${quoted(name)}(${given})`;
  return sql(
    procedure ? `call ${call}` : `select * from ${call}`,
    parameters.map((parameter) => valuesOf(parameter, catalog)),
  );
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Overrides with the numbers of parameters in place of their names. */
function byNumber(
  overrides: OperationOverrides,
  parameters: ReadonlyMap<string, readonly string[]>,
): OperationOverrides {
  const entries = Object.entries(overrides).map(([name, change]) => {
    const names = parameters.get(name);
    if (change === false || names === undefined || "sql" in change || "http" in change) {
      return [name, change] as const;
    }
    const numbered = Object.entries(change).map(([parameter, value]) => {
      const at = names.indexOf(parameter);
      return [at < 0 ? parameter : `$${at + 1}`, value] as const;
    });
    return [name, Object.fromEntries(numbered)] as const;
  });
  return Object.fromEntries(entries);
}

type Parameter = CatalogFunction["parameters"][number];

function valuesOf(parameter: Parameter, catalog: SchemaCatalog): Argument {
  const { type } = parameter;
  if (type.endsWith("[]")) {
    const item = valuesOf({ name: singleName(parameter.name), type: type.slice(0, -2) }, catalog);
    return [item];
  }
  const kind = kindOf(type);
  const referent = kind && referentOf({ name: parameter.name, kind }, catalog);
  if (referent !== undefined) return rowOf(referent);
  return orNull(scalarsOf(parameter, catalog));
}

function singleName(name: string): string {
  return name.replace(/s$/, "");
}

function kindOf(type: string): NamedValue["kind"] | undefined {
  if (/^(smallint|integer|bigint)$/.test(type)) return "integer";
  if (type === "uuid") return "uuid";
  return /^(text|character varying|character|citext)$/.test(type) ? "text" : undefined;
}

function scalarsOf({ name, type }: Parameter, catalog: SchemaCatalog): Arbitrary<Json> {
  const labels = catalog.enums[type] ?? checkedTexts(name, catalog);
  if (labels.length > 0) return fc.constantFrom(...labels);
  if (/^(smallint|integer|bigint)$/.test(type)) return fewNumbers(0, Number.POSITIVE_INFINITY);
  if (/^(numeric|real|double precision|money)$/.test(type)) {
    return fc.constantFrom(1, 10, 50, 0.5);
  }
  if (type === "boolean") return fc.boolean();
  if (type === "uuid") return FEW.uuid;
  if (/^timestamp/.test(type)) return FEW.time;
  if (type === "date") return FEW.date;
  if (/^time /.test(type)) return FEW.clock;
  if (type === "interval") return FEW.duration;
  if (/^jsonb?$/.test(type)) return fc.constantFrom("{}", '{"a": 1}');
  if (type === "inet") return FEW.address;
  if (/email/i.test(name)) return FEW.email;
  return fewTexts(snakeCase(name) || "text");
}

/** The texts that a check of a column of that name allows: `check (state in ('open', 'closed'))`. */
function checkedTexts(name: string, { tables }: SchemaCatalog): readonly string[] {
  const column = snakeCase(name).replace(/^(?:p|in|arg)?_/, "");
  const checks = tables
    .flatMap((table) => table.columns)
    .filter((one) => snakeCase(one.name) === column)
    .flatMap((one) => one.checks);
  const list = checks.find((check) => /= ANY \(/.test(check)) ?? "";
  return [...list.matchAll(/'((?:[^']|'')*)'::/g)].map(([, text = ""]) =>
    text.replaceAll("''", "'"),
  );
}
