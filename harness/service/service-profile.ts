import fc from "fast-check";
import type { IdFields } from "../core/ids.ts";
import type { Json } from "../core/json.ts";
import {
  existingIds,
  idColumnsOf,
  idFieldsOf,
  idsInAnswer,
  kindOfColumn,
  moveSequencesApart,
  withField,
} from "./generated-ids.ts";
import { arbitraryOf, type DefinedOperation } from "./operation-definition.ts";
import { type OperationPair, operationPairs } from "./operation-pairs.ts";
import type { PairCandidates } from "./pair-variants.ts";
import { normalized, ProbedPrefixes } from "./probed-prefixes.ts";
import { isReference, type ReferencedRows, withReferences } from "./row-reference.ts";
import type { SerialProbe, Success } from "./serial-probe.ts";
import type { ResolvedDefinition } from "./service-definition.ts";
import type { SchemaCatalog } from "./sources/catalog.ts";

/** What a service does when its operations run one after the other: a plain value. */
export interface ServiceProfile {
  /** The fields of tables and of answers that hold generated ids. */
  readonly ids: IdFields;
  /** By operation name: how often it was answered with each code. */
  readonly answers: { readonly [operation: string]: { readonly [code: string]: number } };
  /** For each operation that can succeed, the shortest prefix that was found, and its arguments. */
  readonly successes: readonly Success[];
  readonly pairs: readonly OperationPair[];
  /** The names of pairs for which no state was found in which both operations succeed, each alone. */
  readonly unreached: readonly string[];
  /** What the operations of sources follow from. Absent if the definition has no source. */
  readonly catalog?: SchemaCatalog;
}

/** A fixed seed: the pairs of a service do not depend on the campaign. */
const SEED = 1;
/** Generated operations of each name. */
const INSTANCES = 48;
/** Sequences of operations; more than the least while an operation has not succeeded. */
const SEQUENCES = { least: 4, most: 16 };
/** The most operations of a random sequence. */
const MOST_OPERATIONS = 30;
/** The most arguments with which an operation succeeds that its pairs are made of. */
const MOST_SUCCESSES = 3;

/**
 * Executes random serial sequences of a service's operations, to learn which operation succeeds after
 * which others, which ids the database generates, and in which answers they are. Every two operations are
 * then paired, in a state in which both can succeed. The initial part of Lincheck's scenarios has the same
 * purpose (Koval and others, CAV 2023).
 *
 * @param pairs whether operations are paired; without, `successes` are left out too
 */
export async function profileOf(
  definition: ResolvedDefinition,
  probe: SerialProbe,
  pairs: boolean,
): Promise<ServiceProfile> {
  const names = Object.keys(definition.operations);
  const columns = await idColumnsOf(probe.query);
  let ids = idFieldsOf(columns);
  const answers: Record<string, Record<string, number>> = Object.fromEntries(
    names.map((name) => [name, {}]),
  );
  const successes = new Map<string, Success[]>(names.map((name) => [name, []]));
  const instances = new Map(names.map((name) => [name, instancesOf(definition, name)]));
  const makers = new Map<string, Success[]>();
  const taken = new Map<string, number>();
  const next = (name: string): DefinedOperation => {
    const at = taken.get(name) ?? 0;
    taken.set(name, at + 1);
    const all = instances.get(name) ?? [];
    return all[at % all.length] ?? { name };
  };
  const isRead = (name: string) => {
    const how = definition.operations[name];
    return how !== undefined && "http" in how && how.http.method === "GET";
  };

  await probe.restore();
  const before = await existingIds(probe.query, columns);
  for (const [number, sequence] of sequencesOf(names).entries()) {
    const missing = names.some((name) => successes.get(name)?.length === 0);
    if (number >= SEQUENCES.least && !missing) break;
    await probe.restore();
    await moveSequencesApart(probe.query);
    const prefix: DefinedOperation[] = [];
    for (const name of sequence) {
      const rows = await probe.rows();
      const operation = normalized(next(name), rows);
      const { outcome, code, body } = await probe.perform(operation);
      const codes = answers[name] ?? {};
      codes[code] = (codes[code] ?? 0) + 1;
      if (outcome !== "ok") continue;
      const now = await existingIds(probe.query, columns);
      const kindOf = (id: string) => (before.has(id) ? undefined : now.get(id));
      for (const { of, field, kind } of idsInAnswer(body, name, kindOf)) {
        ids = withField(ids, of, field, kind);
      }
      for (const { field, column } of sentBack(operation, body)) {
        ids = withField(ids, name, field, kindOfColumn(ids, column));
      }
      const success = { prefix: [...prefix], operation };
      successes.get(name)?.push(success);
      if (isRead(name)) continue;
      for (const column of grownColumns(rows, await probe.rows())) {
        makers.set(column, [...(makers.get(column) ?? []), success]);
      }
      prefix.push(operation);
    }
  }

  if (!pairs) return { ids, answers, successes: [], pairs: [], unreached: [] };
  const probed = new ProbedPrefixes(
    probe,
    new Map([...makers].map(([column, all]) => [column, varied(all)])),
  );
  const candidates: PairCandidates[] = [];
  for (const name of names) {
    const found = await pairCandidatesOf(name, successes.get(name) ?? [], probed);
    if (found !== undefined) candidates.push(found);
  }
  return {
    ids,
    answers,
    successes: candidates.flatMap(({ prefix, operations: [operation] }) =>
      operation === undefined ? [] : { prefix, operation },
    ),
    ...(await operationPairs(candidates, probed)),
  };
}

/** What an operation's pairs are made of; undefined if it never succeeded. */
async function pairCandidatesOf(
  name: string,
  successes: readonly Success[],
  probed: ProbedPrefixes,
): Promise<PairCandidates | undefined> {
  const [shortest, ...others] = varied(successes);
  if (shortest === undefined) return undefined;
  const prefix = await probed.shortened(shortest);
  const operations = [shortest.operation];
  for (const { operation } of others) {
    if (operations.length === MOST_SUCCESSES) break;
    if (await probed.succeeds(prefix, operation)) operations.push(operation);
  }
  return { name, prefix, operations };
}

function instancesOf(
  { operations }: ResolvedDefinition,
  name: string,
): readonly DefinedOperation[] {
  const definition = operations[name];
  if (definition === undefined) return [];
  // Other clients' answers are no part of a serial sequence of one.
  return fc
    .sample(arbitraryOf(name, definition), { seed: SEED, numRuns: INSTANCES })
    .map((operation) => withReferences(operation, ({ of, row }) => ({ of, row })));
}

function grownColumns(before: ReferencedRows, now: ReferencedRows): readonly string[] {
  return [...now].flatMap(([column, values]) =>
    values.length > (before.get(column)?.length ?? 0) ? column : [],
  );
}

/** Sequences of operation names: first all in the order of the definition, twice, then random ones. */
function sequencesOf(names: readonly string[]): readonly (readonly string[])[] {
  const length = Math.min(3 * names.length, MOST_OPERATIONS);
  const random = fc.sample(
    fc.array(fc.constantFrom(...names), { minLength: length, maxLength: length }),
    { seed: SEED, numRuns: SEQUENCES.most - 1 },
  );
  return [[...names, ...names], ...random];
}

/** The fields of an answer that have the names of arguments which refer to rows: they have the same ids. */
function sentBack(
  operation: DefinedOperation,
  body: Json,
): readonly { readonly field: string; readonly column: string }[] {
  if (typeof body !== "object" || body === null || Array.isArray(body)) return [];
  return Object.entries(operation).flatMap(([field, value]) =>
    isReference(value) && field in body ? [{ field, column: value.of }] : [],
  );
}

/** The success with the shortest prefix, and then those with other arguments. */
function varied(successes: readonly Success[]): readonly Success[] {
  const sorted = [...successes].sort((a, b) => a.prefix.length - b.prefix.length);
  const byArguments = new Map<string, Success>();
  for (const success of sorted) {
    const key = JSON.stringify(success.operation);
    if (!byArguments.has(key)) byArguments.set(key, success);
  }
  return [...byArguments.values()];
}
