import { HarnessError } from "../../core/error.ts";
import { isRecord } from "../definition-members.ts";
import {
  type Arguments,
  type OperationDefinition,
  operationProblem,
} from "../operation-definition.ts";
import type { SchemaCatalog } from "./catalog.ts";

/** Operations by name. */
export type Operations = { readonly [name: string]: OperationDefinition };

/** Operations that something else describes. They are made once the setup is done. */
export interface OperationSource {
  /** What they are from, for messages: `fromOpenApi("openapi.json")`. */
  readonly source: string;
  operations(context: SourceContext): Operations;
}

/** What a source may look at. */
export interface SourceContext {
  /** That of the migrated database. */
  readonly catalog: SchemaCatalog;
  /** The file of the definition: other paths are relative to it. */
  readonly file: URL;
}

/**
 * What is written by hand of operations from a source, by name: other arguments beside those that the source
 * gives, a whole operation, or `false` for none.
 */
export type OperationOverrides = {
  readonly [name: string]: false | Arguments | OperationDefinition;
};

/** Operations by name, a source of operations, or a list of these: of two of one name, the later one counts. */
export type GivenOperations =
  | Operations
  | OperationSource
  | readonly (Operations | OperationSource)[];

export function isOperationSource(value: unknown): value is OperationSource {
  return (
    isRecord(value) &&
    typeof value["source"] === "string" &&
    typeof value["operations"] === "function"
  );
}

/** The parts of what a definition gives as its operations. */
export function partsOf(given: GivenOperations): readonly (Operations | OperationSource)[] {
  return Array.isArray(given) ? given : [given as Operations | OperationSource];
}

/** Whether the catalog is needed to know the operations. */
export function hasSource(given: GivenOperations): boolean {
  return partsOf(given).some(isOperationSource);
}

/** All operations. Throws HarnessError `USAGE` for a source that gives none. */
export function resolvedOperations(given: GivenOperations, context: SourceContext): Operations {
  const all = partsOf(given).map((part) => {
    if (!isOperationSource(part)) return part;
    const operations = part.operations(context);
    if (Object.keys(operations).length > 0) return operations;
    throw new HarnessError("USAGE", `${part.source} has no operations`);
  });
  return Object.assign({}, ...all);
}

/** The operations with what overrides say. Throws HarnessError `USAGE` for one of a name that there is not. */
export function overridden(
  operations: Operations,
  overrides: OperationOverrides,
  source: string,
): Operations {
  const unknown = Object.keys(overrides).find((name) => !(name in operations));
  if (unknown !== undefined) {
    throw new HarnessError(
      "USAGE",
      `${source} has no operation "${unknown}" to override; it has: ${Object.keys(operations).join(", ")}`,
    );
  }
  const entries = Object.entries(operations).flatMap(([name, operation]) => {
    const change = overrides[name];
    if (change === false) return [];
    if (change === undefined) return [[name, operation] as const];
    if (isOperation(change)) return [[name, change] as const];
    return [[name, { ...operation, arguments: { ...operation.arguments, ...change } }] as const];
  });
  return Object.fromEntries(entries);
}

function isOperation(change: Arguments | OperationDefinition): change is OperationDefinition {
  return operationProblem(change) === undefined;
}
