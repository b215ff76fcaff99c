import type { ClientBase } from "pg";
import { HarnessError } from "../core/error.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Server } from "../postgres/provider.ts";
import { withClient } from "../service/mutated.ts";
import type { AppliedMutant } from "../service/open-executor.ts";
import type { Promised, SchemaChange } from "../service/promise.ts";
import type { Service } from "../service/service.ts";
import { type Edit, edited, type FoundEdit } from "./edits.ts";
import { type DerivedMutant, objectMutants } from "./objects.ts";
import { readRoutines, type SourceRoutine, type Unmutated } from "./routines.ts";

/** A mutant whose DDL, or whose routine, the server refuses. */
export interface InvalidMutant {
  readonly mutant: DerivedMutant;
  /** What the server says. */
  readonly reason: string;
}

/** All that derives from a schema. */
export interface Derivation {
  /** In the order of constraints, indexes, triggers, routines; in these by where they change. */
  readonly mutants: readonly DerivedMutant[];
  readonly invalid: readonly InvalidMutant[];
  readonly unmutated: readonly Unmutated[];
  /**
   * One script that makes several changes. Throws RangeError if there is no such mutant or text, or
   * if two of them change the same part of a routine.
   */
  combined(changes: readonly SchemaChange[]): string;
}

/**
 * Derives the mutants of the schema in a database: each differs from it in one constraint, unique
 * index, trigger, or place of a routine. Each is tried in a transaction that is rolled back. The
 * client must own the schema, and must not be in a transaction.
 */
export async function deriveMutants(client: ClientBase): Promise<Derivation> {
  const { routines, unmutated } = await readRoutines(client);
  const changes = new Map<string, RoutineChange>();
  const candidates = [...(await objectMutants(client))];
  for (const routine of routines) {
    for (const edit of routine.edits) {
      const id = unusedId(`${edit.kind} ${routine.name}: ${clipped(edit.before)}`, changes);
      changes.set(id, { routine, edit });
      candidates.push(mutantOf(id, routine, edit));
    }
  }
  const mutants: DerivedMutant[] = [];
  const invalid: InvalidMutant[] = [];
  for (const mutant of candidates) {
    const reason = await whyRefused(client, mutant);
    if (reason === undefined) mutants.push(mutant);
    else invalid.push({ mutant, reason });
  }
  return {
    mutants,
    invalid,
    unmutated,
    combined: (parts) => combined(parts, mutants, changes, routines),
  };
}

interface RoutineChange {
  readonly routine: SourceRoutine;
  readonly edit: Edit;
}

function combined(
  parts: readonly SchemaChange[],
  mutants: readonly DerivedMutant[],
  ofMutants: ReadonlyMap<string, RoutineChange>,
  routines: readonly SourceRoutine[],
): string {
  const script: string[] = [];
  const edits = new Map<SourceRoutine, Edit[]>();
  for (const part of new Set(parts)) {
    const change = typeof part === "string" ? ofMutants.get(part) : textChange(part, routines);
    if (change !== undefined) {
      edits.set(change.routine, [...(edits.get(change.routine) ?? []), change.edit]);
      continue;
    }
    const mutant = mutants.find(({ id }) => id === part);
    if (mutant === undefined) throw new RangeError(`there is no derived mutant "${part}"`);
    script.push(mutant.ddl);
  }
  script.push(...[...edits].map(([routine, all]) => definition(routine, all)));
  return script.join(";\n");
}

function textChange(
  { routine: name, text, becomes }: Exclude<SchemaChange, string>,
  routines: readonly SourceRoutine[],
): RoutineChange {
  const routine = routines.find((one) => one.name === name);
  const [before, ...after] = routine?.source.source.split(text) ?? [];
  if (routine === undefined || before === undefined || after.length !== 1) {
    throw new RangeError(`the routine "${name}" has not once the text "${text}"`);
  }
  const start = before.length;
  return { routine, edit: { start, end: start + text.length, text: becomes } };
}

function mutantOf(id: string, routine: SourceRoutine, edit: FoundEdit): DerivedMutant {
  const { kind, line, statement, before, after } = edit;
  const ddl = definition(routine, [edit]);
  const { name: object, signature } = routine;
  return { id, kind, object, routine: signature, line, statement, before, after, ddl };
}

function definition({ name, source }: SourceRoutine, edits: readonly Edit[]): string {
  const inOrder = [...edits].sort((a, b) => a.start - b.start);
  if (inOrder.some(({ start }, index) => start < (inOrder[index - 1]?.end ?? 0))) {
    throw new RangeError(`two changes of ${name} are to be made at the same place`);
  }
  return source.head + edited(source.source, edits) + source.tail.trimEnd();
}

/** Long enough to tell most statements of a routine apart, short enough to be read. */
const CLIP = 80;

function clipped(text: string): string {
  return text.length <= CLIP ? text : `${text.slice(0, CLIP - 1)}…`;
}

function unusedId(id: string, used: ReadonlyMap<string, unknown>): string {
  let unused = id;
  for (let number = 2; used.has(unused); number++) unused = `${id} (${number})`;
  return unused;
}

/** What the server says to a mutant's DDL; undefined when it takes it. */
async function whyRefused(client: ClientBase, { ddl }: DerivedMutant): Promise<string | undefined> {
  await client.query("begin");
  try {
    await client.query(ddl);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  } finally {
    await client.query("rollback");
  }
}

const DERIVED = "derived:";
const WITHOUT = " without ";
const AND = " + ";

/** The name under which a derived mutant is seeded like one of a model's. */
export function derivedName(id: string): string {
  return DERIVED + id;
}

/** The name under which a model is seeded that lacks some of a promise's protections. */
export function withoutName(promise: string, protections: readonly string[]): string {
  return promise + WITHOUT + protections.join(AND);
}

function isDerived(mutant: string): boolean {
  return mutant.startsWith(DERIVED) || mutant.includes(WITHOUT);
}

/** What takes these protections away. */
export function changesWithout(
  { protections }: Promised,
  names: readonly string[],
): readonly SchemaChange[] {
  return protections.filter(({ name }) => names.includes(name)).flatMap(({ without }) => without);
}

/** The mutants of a service's schema, as migrated on a database of `server`. */
export async function derivationOf<State extends Json, Op extends Operation>(
  server: Server,
  service: Service<State, Op>,
): Promise<Derivation> {
  const database = await server.lease();
  try {
    await service.migrate(database.url, undefined);
    return await withClient(database.url, deriveMutants);
  } finally {
    await database.drop();
  }
}

/**
 * The mutant that a name stands for: a seeded bug, or changes of the schema that only the schema
 * itself tells.
 * @throws HarnessError USAGE when its schema has no such derived mutant, or the model no such
 * promise, or when the changes cannot be made together.
 */
export async function mutantNamed<State extends Json, Op extends Operation>(
  server: Server,
  service: Service<State, Op>,
  name: string,
): Promise<AppliedMutant> {
  if (!isDerived(name)) return name;
  const changes = changesNamed(service.promises ?? [], name);
  const { combined } = await derivationOf(server, service);
  try {
    return { name, ddl: combined(changes) };
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    const said = `the model "${service.name}" has no mutant "${name}": ${cause.message}`;
    throw new HarnessError("USAGE", said, { cause });
  }
}

function changesNamed(promises: readonly Promised[], name: string): readonly SchemaChange[] {
  if (name.startsWith(DERIVED)) return [name.slice(DERIVED.length)];
  const at = name.indexOf(WITHOUT);
  const promise = promises.find((one) => one.name === name.slice(0, at));
  const names = name.slice(at + WITHOUT.length).split(AND);
  const unknown = names.find((one) => !promise?.protections.some((it) => it.name === one));
  if (promise !== undefined && unknown === undefined) return changesWithout(promise, names);
  const said = `the model has no such promise with such protections as "${name}" says`;
  throw new HarnessError("USAGE", said);
}
