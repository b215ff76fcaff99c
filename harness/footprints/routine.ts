import { treeOf } from "../instrumentation/routine-source.ts";
import {
  type Expression,
  expressionsIn,
  functionIn,
  gateIn,
  PREFIX,
  type Tree,
} from "../instrumentation/routine-statements.ts";
import { tokensOf } from "../instrumentation/routine-tokens.ts";
import { asStatement } from "../instrumentation/routine-touches.ts";

/** A routine, as far as it matters what its steps touch. SQL texts are parsed later. */
export interface RoutineParts {
  /** What is executed in one go with the gate before it: SQL texts, by the gate's number. */
  readonly gated: ReadonlyMap<number, Part>;
  /** All that no gate stands before. */
  readonly free: Part;
  /** It hands on rows while others may have moved: a step may go on with an earlier query. */
  readonly lingers: boolean;
  /** It has a block that catches exceptions. */
  readonly catches: boolean;
}

interface Part {
  readonly texts: readonly string[];
  /** It runs a text that is made up, or ends a transaction. */
  readonly unknown: boolean;
}

const UNKNOWN = new Set(["dynexecute", "dynfors", "commit", "rollback"]);
const LINGERS = new Set(["fors", "forc", "dynfors", "open", "fetch", "close"]);

interface Node {
  readonly [key: string]: unknown;
}

/** What the catalog says of a routine. */
export interface RoutineRow {
  readonly kind: string;
  readonly language: string;
  readonly volatility: string;
  readonly source: string;
  /** It was parsed when it was created: it has no source. */
  readonly parsed: boolean;
  /** Those of its arguments, as a list. */
  readonly defaults: string | null;
  readonly definition: string | null;
}

type Body = RoutineParts | "nothing" | "unknown";

/** What a routine does, whose source may have gates in it. libpg-query has to be loaded. */
export function bodyOf(row: RoutineRow): Body {
  const body = ownBodyOf(row);
  if (row.defaults === null || body === "unknown") return body;
  // Whoever calls it evaluates them, before its first gate.
  const { free, ...parts } = body === "nothing" ? ungated() : body;
  return { ...parts, free: { ...free, texts: [...free.texts, `select ${row.defaults}`] } };
}

function ownBodyOf({ kind, language, volatility, source, parsed, definition }: RoutineRow): Body {
  if (kind !== "f" && kind !== "p") return "unknown";
  if (language === "plpgsql") {
    try {
      return routineParts(definition ?? "", source);
    } catch {
      return "unknown";
    }
  }
  if (language === "sql" && !parsed) return ungated(source);
  return language !== "sql" && volatility === "i" ? "nothing" : "unknown";
}

function ungated(...texts: readonly string[]): RoutineParts {
  return { gated: new Map(), free: { texts, unknown: false }, lingers: false, catches: false };
}

/** @throws whatever libpg-query says of a definition that it cannot read. */
function routineParts(definition: string, source: string): RoutineParts {
  const at = definition.lastIndexOf(source);
  const head = definition.slice(0, at);
  const tail = definition.slice(at + source.length);
  const tree = treeOf({ head, source, tail }, tokensOf(source));
  const parts = new Parts();
  parts.walk(tree);
  parts.add(undefined, { datums: functionIn(tree)["datums"] });
  return parts;
}

class Parts implements RoutineParts {
  readonly gated = new Map<number, Part>();
  free: Part = { texts: [], unknown: false };
  lingers = false;
  catches = false;

  walk(tree: Tree): void {
    if (Array.isArray(tree)) this.#list(tree);
    else if (isNode(tree)) {
      for (const [key, value] of Object.entries(tree)) {
        if (key.startsWith(PREFIX)) this.#statement(undefined, key, value as Node);
        else this.walk(value);
      }
    }
  }

  /** A gate belongs to the statement after it. One at a list's end belongs to the loop around it. */
  #list(items: readonly unknown[]): void {
    let gate: number | undefined;
    for (const item of items) {
      const found = gateIn(item);
      if (found === undefined) {
        for (const [key, value] of Object.entries(isNode(item) ? item : {})) {
          if (key.startsWith(PREFIX)) this.#statement(gate, key, value as Node);
          else this.walk(value);
        }
      }
      gate = found;
    }
    if (gate !== undefined) this.lingers = true;
  }

  #statement(gate: number | undefined, key: string, node: Node): void {
    const kind = key.slice(PREFIX.length);
    if (LINGERS.has(kind)) this.lingers = true;
    if (node["exceptions"] !== undefined) this.catches = true;
    this.add(gate, node, UNKNOWN.has(kind) || node["dynquery"] !== undefined);
    for (const value of Object.values(node)) this.walk(value);
  }

  add(gate: number | undefined, node: Node, unknown = false): void {
    const before = gate === undefined ? this.free : this.gated.get(gate);
    const part = {
      texts: [...(before?.texts ?? []), ...expressionsIn(node).map(textOf)],
      unknown: unknown || (before?.unknown ?? false),
    };
    if (gate === undefined) this.free = part;
    else this.gated.set(gate, part);
  }
}

function textOf({ query, parseMode }: Expression): string {
  return asStatement(query, parseMode ?? 0);
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null;
}
