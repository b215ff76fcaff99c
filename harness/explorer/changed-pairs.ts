import type { Footprint } from "../core/footprint.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Executor } from "../execution/executor.ts";
import type { Pair } from "../service/service.ts";
import { FootprintRecorder } from "./independent-pairs.ts";

/** A file of the project that differs from an earlier revision. */
export interface ChangedFile {
  /** Relative to the repository. */
  readonly path: string;
  /** Its text then and now; empty where there was or is no file. */
  readonly before: string;
  readonly after: string;
}

/** A change of a project. */
export interface Change {
  /** The revision that is compared with, such as `origin/main`. */
  readonly since: string;
  readonly files: readonly ChangedFile[];
  /** The texts of the source files that did not change. */
  readonly unchanged: readonly string[];
  /** The path of the definition: what it changes may concern all. */
  readonly definition: string;
}

/** What an operation does when it runs alone. */
export interface OperationTrace {
  readonly statements: readonly string[];
  /** Undefined for a step: it may touch anything. */
  readonly steps: readonly (Footprint | undefined)[];
}

/**
 * The names of the pairs that a change does not concern. Each operation is executed alone in the initial states of
 * its pairs, to see what it does. One pair is always kept: a run without an execution would say nothing.
 *
 * @param executor has footprints
 */
export async function untouchedPairs<State extends Json, Op extends Operation>(
  executor: Pick<Executor<State, Op>, "execute">,
  pairs: readonly Pair<State, Op>[],
  change: Change,
): Promise<readonly string[]> {
  const known = new Set<string>();
  const traces = new Map<string, OperationTrace>();
  for (const { scenario } of pairs) {
    for (const operation of scenario.clients.flat()) {
      const key = JSON.stringify([scenario.initial, operation]);
      if (known.has(key)) continue;
      known.add(key);
      const recorder = new FootprintRecorder();
      const one = { initial: scenario.initial, clients: [[operation]] };
      const { trace } = await executor.execute(one, recorder);
      const { statements = [], steps = [] } = traces.get(operation.name) ?? {};
      traces.set(operation.name, {
        steps: [...steps, ...recorder.steps],
        statements: [
          ...statements,
          ...trace.flatMap((event) => (event.type === "statement" ? event.statement.sql : [])),
        ],
      });
    }
  }
  const touched = touchedOperations(traces, change);
  const untouched = pairs.filter(
    ({ scenario }) => !scenario.clients.flat().some(({ name }) => touched.has(name)),
  );
  const all = untouched.length === pairs.length;
  return untouched.slice(all ? 1 : 0).map(({ name }) => name);
}

/** What a report says about the pairs that a change does not concern. */
export function leftOutByChange(
  untouched: readonly string[],
  change: Change | undefined,
): readonly string[] {
  if (untouched.length === 0 || change === undefined) return [];
  const pairs = untouched.length === 1 ? "1 pair was" : `${untouched.length} pairs were`;
  return [
    `${pairs} left out, since the change since ${change.since} names neither their tables nor their statements: ${untouched.join("; ")}.`,
  ];
}

const NO_CODE =
  /\.(?:md|txt|png|svg|jpg|har)$|(?:^|\/)(?:docs?|tests?|__tests__|regressions|reports|\.github)\/|\.(?:test|spec)\.\w+$|(?:^|\/)(?:LICENSE|\.gitignore)$/;
const SQL = /\.sql$/;
export const SOURCE = /\.(?:[cm]?[jt]sx?|py|rb|go|rs|java|kt|cs|php|ex|scala)$/;

/**
 * Which operations a change may concern, by their names: those whose tables or statements it names. Where that
 * cannot be told, all: the change of a file of another kind, of the definition, of a source file without a statement
 * of any operation, or of SQL that names no table of any.
 */
export function touchedOperations(
  operations: ReadonlyMap<string, OperationTrace>,
  { files, unchanged, definition }: Change,
): ReadonlySet<string> {
  const all = new Set(operations.keys());
  const touched = new Set<string>();
  const elsewhere = unchanged.map(normalized).join("\n");
  for (const { path, before, after } of files) {
    if (path !== definition && NO_CODE.test(path)) continue;
    const concerned =
      path === definition
        ? undefined
        : SQL.test(path)
          ? concernedBySql(operations, before, after)
          : SOURCE.test(path)
            ? concernedBySource(operations, normalized(`${before}\n${after}`), elsewhere)
            : undefined;
    if (concerned === undefined) return all;
    for (const name of concerned) touched.add(name);
  }
  return touched;
}

type Operations = ReadonlyMap<string, OperationTrace>;

/** Undefined if it cannot be told. */
function concernedBySql(
  operations: Operations,
  before: string,
  after: string,
): readonly string[] | undefined {
  const [old, now] = [statementsIn(before), statementsIn(after)];
  const changed = [...old, ...now].filter((one) => !(old.includes(one) && now.includes(one)));
  const concerned: string[] = [];
  for (const statement of changed) {
    const words = new Set(statement.toLowerCase().match(/\w+/g));
    const names = [...operations].filter(([, trace]) => {
      const objects = objectsOf(trace);
      return objects === undefined || objects.some((name) => words.has(name));
    });
    if (names.every(([, trace]) => objectsOf(trace) === undefined)) return undefined;
    concerned.push(...names.map(([name]) => name));
  }
  return concerned;
}

/** The last parts of the names of what an operation touches, and of the functions that it calls. */
function objectsOf({ statements, steps }: OperationTrace): readonly string[] | undefined {
  if (steps.includes(undefined)) return undefined;
  const touched = steps.flatMap((step) =>
    step === undefined
      ? []
      : [step.step, step.held].flatMap(({ reads, shares, writes }) => [
          ...reads,
          ...shares,
          ...writes,
        ]),
  );
  const names = touched.flatMap((name) => name.toLowerCase().match(/\w+/g) ?? []);
  const called = statements.flatMap((sql) =>
    [...sql.toLowerCase().matchAll(/(\w+)"?\s*\(/g)].map(([, name = ""]) => name),
  );
  return [...names, ...called].filter((name) => !WORDS.has(name));
}

/** Parts of names, and words before a parenthesis, that say nothing. */
const WORDS = new Set(["public", "table", "values", "in", "into", "and", "or", "count", "row"]);

/** Undefined if it cannot be told. */
function concernedBySource(
  operations: Operations,
  text: string,
  elsewhere: string,
): readonly string[] | undefined {
  const own = (trace: OperationTrace) =>
    trace.statements.map(normalized).filter((sql) => !/^(?:begin|commit|rollback|set)\b/.test(sql));
  const here = [...operations].filter(([, trace]) => own(trace).some((sql) => text.includes(sql)));
  if (here.length === 0) return undefined;
  // A statement that stands nowhere is made by a program, such as an ORM.
  const generated = [...operations].filter(([, trace]) =>
    own(trace).some((sql) => !text.includes(sql) && !elsewhere.includes(sql)),
  );
  return [...here, ...generated].map(([name]) => name);
}

function normalized(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim().toLowerCase();
}

/** The statements of an SQL file: a semicolon ends one, unless it stands in a body between dollars. */
function statementsIn(text: string): readonly string[] {
  const statements = [""];
  for (const part of text.split(/(\$\w*\$[\s\S]*?\$\w*\$|;)/)) {
    if (part === ";") statements.push("");
    else statements[statements.length - 1] += part;
  }
  return statements.map(normalized).filter((statement) => statement !== "");
}
