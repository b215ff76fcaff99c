import type { Snapshot } from "../core/execution.ts";
import type { Call } from "../core/history.ts";
import type { IdFields } from "../core/ids.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { isUnknown, type Model, type ObservedHistory } from "../core/model.ts";
import { answeredIds } from "./answer-ids.ts";
import { independentParts } from "./model-parts.ts";
import { argumentsOf, type DefinedOperation, type DefinedState } from "./operation-definition.ts";
import { referents } from "./referenced-rows.ts";
import { References } from "./references.ts";
import { type ColumnName, NO_ROW, referencesIn } from "./row-reference.ts";

/** An operation as the service gets it: with ids in place of references. */
export interface SentOperation {
  readonly name: string;
  /** From 0. */
  readonly client: number;
  readonly values: JsonObject;
  /** The name of the sender; undefined if the operation has none. */
  readonly as: string | undefined;
}

/** What a service has to answer, and the state of the model afterwards. */
export interface RightAnswer<State> {
  /** The HTTP status as text or what the answer names as its code, `OK`, or the code of an error. */
  readonly code: string;
  /** The HTTP status, where the answer has one and its code is another. Default: not compared. */
  readonly status?: number;
  /** The parts of the answer that are compared: fields that it does not have may have any value. Default: none. */
  readonly body?: Json;
  readonly after: State;
}

/** Rows of a table as a model expects them: columns that a row does not have may have any value. */
export type ExpectedRows = readonly {
  readonly [column: string]: Json | ((value: Json) => boolean);
}[];

/**
 * What a service does when its operations run one after the other. Its functions are pure, and its states
 * are immutable: a search tries several orders. Times are equal if they are the same moment, and an id is
 * equal to its text.
 */
export interface ServiceModel<State> {
  /** The state of a database with these rows, by table with its schema: `public.orders`. */
  init(rows: Snapshot): State;
  /**
   * The right answer to an operation.
   *
   * @param id that of the row which the operation has made (see `makes`), as it was answered
   */
  answer(state: State, operation: SentOperation, id: Json | undefined): RightAnswer<State>;
  /** By the name of an operation that makes a row with a generated id: the column of the id. Default: none. */
  readonly makes?: { readonly [operation: string]: ColumnName };
  /** The rows in a state, by table: `orders`. The first column of each row identifies it. Default: not compared. */
  rows?(state: State): { readonly [table: string]: ExpectedRows };
  /** The states after an operation that got no answer, if it took effect. Default: those after a right answer. */
  interrupted?(state: State, operation: SentOperation): readonly State[] | undefined;
  /**
   * What operations and rows concern, so that parts of a history that have nothing in common are checked for
   * themselves, which is faster: the things of one operation or row belong together, such as `["slot 3",
   * "provider 1"]`. Default: all of a history is one part.
   */
  readonly concerns?: {
    operation(operation: SentOperation, id: Json | undefined): readonly string[] | "everything";
    /** @param table with its schema: `public.orders` */
    row(table: string, row: JsonObject): readonly string[];
  };
  /** A text that is equal for equal states only. Default: the JSON of the state. */
  key?(state: State): string;
}

/** What the model of a compiled definition keeps: the state, and the rows at the end if they were read. */
interface Modelled<State> {
  readonly state: State;
  readonly final: Snapshot | undefined;
}

type DefinedCall = Call<DefinedOperation>;
type DefinedHistory = ObservedHistory<DefinedState, DefinedOperation>;

/**
 * The model of a definition, for the checker.
 *
 * @param aborts codes of operations that were aborted and had no effect
 */
export function modelOf<State>(
  model: ServiceModel<State>,
  ids: IdFields,
  aborts: readonly string[],
): Model<Modelled<State>, DefinedState, DefinedOperation> {
  const { makes = {}, rows, key = (state: State) => JSON.stringify(state) } = model;
  const hadNoEffect = ({ response }: DefinedCall) =>
    response !== undefined && [NO_ROW, ...aborts].includes(response.code);

  /** The id of the row that an operation has made, as its answer says. */
  const made = (call: DefinedCall): Json | undefined => {
    const column = makes[call.operation.name];
    if (column === undefined || call.response?.outcome !== "ok") return undefined;
    return answeredIds(call.response.body, call.operation.name, ids).ofColumn(column);
  };

  const answerTo = (state: State, call: DefinedCall): RightAnswer<State> =>
    model.answer(state, sent(call), made(call));

  /** What is wrong with an answer, in words; undefined if it is right. */
  const problem = (right: RightAnswer<State>, { response }: DefinedCall): string | undefined => {
    if (response === undefined) return undefined;
    if (response.code !== right.code) return `${right.code} is correct`;
    const { status = right.status } = response;
    if (status !== right.status && right.status !== undefined) {
      return `the status ${right.status} is correct`;
    }
    if (right.body === undefined || includes(response.body, right.body)) return undefined;
    const [said, body] = [JSON.stringify(response.body), JSON.stringify(right.body)];
    return `${right.code} is correct, with ${body}, not ${said}`;
  };

  /** The states after an operation without an answer, if it took effect. */
  const possible = ({ state, final }: Modelled<State>, call: DefinedCall): readonly State[] => {
    const interrupted = model.interrupted?.(state, sent(call));
    if (interrupted !== undefined) return interrupted;
    const column = makes[call.operation.name];
    const known = column === undefined ? [] : newIds(column, rows?.(state), final);
    return (known.length === 0 ? [undefined] : known)
      .map((id) => model.answer(state, sent(call), id).after)
      .filter((after) => after !== state);
  };

  return {
    init: ({ initial, before = initial.rows ?? {}, final }) => ({
      state: model.init(before),
      final,
    }),

    step(modelled, call) {
      const { state, final } = modelled;
      if (isUnknown(call)) {
        return possible(modelled, call).map((after) => ({ state: after, final }));
      }
      if (hadNoEffect(call)) return [modelled];
      const right = answerTo(state, call);
      return problem(right, call) === undefined ? [{ state: right.after, final }] : [];
    },

    expected({ state }, call) {
      const right = answerTo(state, call);
      return problem(right, call) ?? `${right.code} is correct`;
    },

    key: ({ state }) => key(state),

    ...(rows && {
      mismatch: ({ state }: Modelled<State>, final: Snapshot) => differenceOf(rows(state), final),
    }),

    // The parts' operations have ids in place of references.
    split(history) {
      const { before = history.initial.rows } = history;
      const whole = { ...history, before, calls: withIds(history, ids) };
      const { concerns } = model;
      if (concerns === undefined) return [whole];
      return independentParts(whole, {
        ofCall: (call) => concerns.operation(sent(call), made(call)),
        ofRow: (table, row) => concerns.row(table, row),
      });
    },
  };
}

function sent({ client, operation }: DefinedCall): SentOperation {
  const { values, as } = argumentsOf(operation);
  return { name: operation.name, client, values, as };
}

/** The ids in a column at the end that are no rows of the state. */
function newIds(
  column: ColumnName,
  expected: { readonly [table: string]: ExpectedRows } | undefined,
  final: Snapshot | undefined,
): readonly Json[] {
  const [field = "", table = ""] = column.split(".").reverse();
  const known = (expected?.[table] ?? []).map((row) => String(row[field]));
  return (tableIn(final ?? {}, table) ?? [])
    .map((row) => row[field] ?? null)
    .filter((id) => !known.includes(String(id)));
}

/** The calls with ids in place of references, as the system has sent them. */
function withIds(
  { initial, before = initial.rows ?? {}, calls }: DefinedHistory,
  ids: IdFields,
): readonly DefinedCall[] {
  const columns = new Set(
    calls.flatMap(({ operation }) => referencesIn(operation).map(({ of }) => of)),
  );
  if (columns.size === 0) return calls;
  const rows = new Map([...columns].map((column) => [column, valuesOf(column, before)]));
  const references = new References(rows, ids);
  const operations = new Map<DefinedCall, DefinedOperation>();
  const events = calls.flatMap((call) => [
    { at: call.invokedAt, call, returns: false },
    { at: call.returnedAt, call, returns: true },
  ]);
  for (const { call, returns } of events.sort((a, b) => a.at - b.at)) {
    const { client, operation, response } = call;
    if (!returns) operations.set(call, references.resolve(operation, client) ?? operation);
    else if (response !== undefined) references.learn(client, operation, response);
  }
  return calls.map((call) => ({ ...call, operation: operations.get(call) ?? call.operation }));
}

/** The values of a column that references are drawn from. */
function valuesOf(column: ColumnName, rows: Snapshot): readonly Json[] {
  const [field = "", table = ""] = column.split(".").reverse();
  return referents((tableIn(rows, table) ?? []).map((row) => row[field] ?? null));
}

function tableIn(rows: Snapshot, table: string): readonly JsonObject[] | undefined {
  return rows[table] ?? Object.entries(rows).find(([name]) => name.endsWith(`.${table}`))?.[1];
}

/** Whether a value has all parts of another one. */
function includes(value: Json | undefined, part: Json): boolean {
  if (Array.isArray(part)) {
    return (
      Array.isArray(value) &&
      value.length === part.length &&
      part.every((item, at) => includes(value[at], item))
    );
  }
  if (typeof part !== "object" || part === null) return isSame(value ?? null, part);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return Object.entries(part).every(([field, item]) =>
    includes((value as JsonObject)[field], item),
  );
}

/** Ids are numbers or texts; the database and the service write the same time in different ways. */
function isSame(a: Json, b: Json): boolean {
  if (a === b) return true;
  if (a === null || b === null || typeof a === "object" || typeof b === "object") return false;
  if (String(a) === String(b)) return true;
  return [a, b].every((it) => /^\d{4}-\d\d-\d\dT/.test(String(it))) && momentOf(a) === momentOf(b);
}

function momentOf(time: string | number | boolean): number {
  return Date.parse(String(time));
}

/** The first difference between the rows of a model and those of the database; undefined if they agree. */
function differenceOf(
  expected: { readonly [table: string]: ExpectedRows },
  final: Snapshot,
): string | undefined {
  for (const [table, rows] of Object.entries(expected)) {
    const rest = [...(tableIn(final, table) ?? [])];
    for (const row of rows) {
      const [[column, id] = ["", null]] = Object.entries(row);
      const at = rest.findIndex((other) => isSame(other[column] ?? null, id as Json));
      const [other] = at < 0 ? [] : rest.splice(at, 1);
      if (other === undefined) return `${table} ${id} is missing`;
      for (const [name, value] of Object.entries(row)) {
        const is = other[name] ?? null;
        if (typeof value === "function" ? value(is) : includes(is, value)) continue;
        const should = typeof value === "function" ? "different" : JSON.stringify(value);
        return `${table} ${id}'s ${name} should be ${should}, not ${JSON.stringify(is)}`;
      }
    }
    const [left] = rest;
    const [key = ""] = Object.keys(rows[0] ?? left ?? {});
    if (left !== undefined) return `${table} ${left[key]} should not exist`;
  }
  return undefined;
}
