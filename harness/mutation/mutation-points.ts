import { STATEMENT_PREFIX } from "../parser/plpgsql.ts";
import { CASE_VARIABLE, isList, isNode, normalizedTree, type SourceTree } from "./source-tree.ts";

/** How a schema is changed. */
export type MutationKind =
  | "drop-constraint"
  | "drop-not-null"
  | "drop-index"
  | "drop-trigger"
  | "strip-lock"
  | "delete-statement"
  | "negate-condition"
  | "weaken-isolation";

/** A place in the tree of a source where one mutation can be made. */
export interface MutationPoint {
  readonly kind: MutationKind;
  /** The normalized tree of the mutated source, as JSON. */
  readonly changed: string;
}

/** The next weaker isolation level. */
export const WEAKER: { readonly [level: string]: string } = {
  serializable: "repeatable read",
  "repeatable read": "read committed",
};

type Path = readonly (string | number)[];

/** The mutation points of a tree, in the order of the tree. */
export function mutationPointsOf(tree: SourceTree): readonly MutationPoint[] {
  return [...changesIn(tree, [], false)].map(({ kind, path, to }) => ({
    kind,
    changed: JSON.stringify(normalizedTree(replaced(tree, path, to) ?? null)),
  }));
}

interface Change {
  readonly kind: MutationKind;
  readonly path: Path;
  /** The node that replaces the one at `path`; undefined: that node is removed. */
  readonly to: SourceTree | undefined;
}

/** @param isolation whether constants in `node` name an isolation level */
function* changesIn(node: SourceTree, path: Path, isolation: boolean): Generator<Change> {
  if (isList(node)) {
    for (const [index, item] of node.entries()) {
      const at = [...path, index];
      if (isDeletable(item, node, path))
        yield { kind: "delete-statement", path: at, to: undefined };
      if (path.at(-1) === "lockingClause") yield { kind: "strip-lock", path: at, to: undefined };
      yield* changesIn(item, at, isolation);
    }
  } else if (isNode(node)) {
    for (const [key, value] of Object.entries(node)) {
      const at = [...path, key];
      yield* negation(key, value, at);
      yield* weakening(key, value, at, isolation);
      yield* changesIn(value, at, isolation || namesIsolation(node));
    }
  }
}

/** A PL/pgSQL statement, or one of several SQL statements. */
function isDeletable(item: SourceTree, siblings: readonly SourceTree[], path: Path): boolean {
  if (path.length === 1 && path[0] === "stmts") return siblings.length > 1;
  return isNode(item) && Object.keys(item).some((key) => key.startsWith(STATEMENT_PREFIX));
}

function* negation(key: string, value: SourceTree, at: Path): Generator<Change> {
  if (key === "whereClause") yield { kind: "negate-condition", path: at, to: not(value) };
  const condition = key === "cond" || (key === "PLpgSQL_case_when" && isNode(value));
  if (condition) {
    const inner: Path = key === "cond" ? CONDITION : ["expr", ...CONDITION];
    const found = valueAt(value, inner);
    if (found !== undefined && !isOfSimpleCase(found)) {
      yield { kind: "negate-condition", path: [...at, ...inner], to: not(found) };
    }
  }
  if (key === "CaseExpr" && isNode(value) && !("arg" in value) && isList(value["args"])) {
    for (const index of value["args"].keys()) {
      const inner = ["args", index, "CaseWhen", "expr"];
      const found = valueAt(value, inner);
      if (found !== undefined) {
        yield { kind: "negate-condition", path: [...at, ...inner], to: not(found) };
      }
    }
  }
}

/** The path from a PL/pgSQL expression to its value: the only column of a query. */
const CONDITION = [
  ...["expression", "query", "stmts", 0, "stmt", "SelectStmt", "targetList", 0],
  ...["ResTarget", "val"],
] as const;

/** In `CASE x WHEN 1 THEN` the condition is a comparison that PL/pgSQL adds: it is not in the text. */
function isOfSimpleCase(condition: SourceTree): boolean {
  return JSON.stringify(condition).includes(CASE_VARIABLE);
}

const not = (condition: SourceTree): SourceTree => ({
  BoolExpr: { boolop: "NOT_EXPR", args: [condition] },
});

const ISOLATION_SETTINGS = ["transaction_isolation", "default_transaction_isolation"];

function namesIsolation(node: { readonly [key: string]: SourceTree }): boolean {
  return ["defname", "name"].some((key) => ISOLATION_SETTINGS.includes(String(node[key])));
}

function* weakening(
  key: string,
  value: SourceTree,
  at: Path,
  isolation: boolean,
): Generator<Change> {
  if (!isolation || key !== "sval" || typeof value !== "string") return;
  const weaker = WEAKER[value.toLowerCase()];
  if (weaker !== undefined) yield { kind: "weaken-isolation", path: at, to: weaker };
}

function valueAt(node: SourceTree | undefined, path: Path): SourceTree | undefined {
  let found = node;
  for (const step of path) {
    if (isList(found)) found = found[Number(step)];
    else found = isNode(found) ? found[step] : undefined;
  }
  return found;
}

function replaced(
  node: SourceTree,
  [step, ...rest]: Path,
  to: SourceTree | undefined,
): SourceTree | undefined {
  if (step === undefined) return to;
  if (isList(node)) {
    return node.flatMap((item, index) =>
      index === step ? (replaced(item, rest, to) ?? []) : [item],
    );
  }
  if (!isNode(node)) return node;
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) => [
      key,
      key === step ? (replaced(value, rest, to) ?? null) : value,
    ]),
  );
}
