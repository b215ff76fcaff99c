import type { ClientBase } from "pg";
import { HarnessError } from "../core/error.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import { withClient } from "../postgres/connection.ts";
import type { Server } from "../postgres/provider.ts";
import type { AppliedMutant } from "../service/open-executor.ts";
import type { SchemaChange, Service, ServicePromise } from "../service/service.ts";
import { type Edit, edited, type FoundEdit } from "./edits.ts";
import { type DerivedMutant, objectMutants } from "./objects.ts";
import { readRoutines, type SourceRoutine, type Unmutated } from "./routines.ts";

/** A mutant that the server rejects. */
export interface InvalidMutant {
  readonly mutant: DerivedMutant;
  /** The message of the server. */
  readonly reason: string;
}

/** The mutants of a schema. */
export interface Derivation {
  /** Ordered by constraints, indexes, triggers and routines; in a routine by position. */
  readonly mutants: readonly DerivedMutant[];
  readonly invalid: readonly InvalidMutant[];
  readonly unmutated: readonly Unmutated[];
  /**
   * An SQL script that makes several changes.
   *
   * @throws RangeError for a mutant or a text that does not exist, and for changes that overlap
   */
  combined(changes: readonly SchemaChange[]): string;
}

/**
 * Derives the mutants of the schema in a database. Each changes one constraint, unique index or
 * trigger, or one place in a routine. The server checks each in a transaction that is rolled back. The
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
    const reason = await rejectionOf(client, mutant);
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
    throw new RangeError(`the routine "${name}" does not contain exactly once the text "${text}"`);
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
    throw new RangeError(`two changes of ${name} overlap`);
  }
  return source.head + edited(source.source, edits) + source.tail.trimEnd();
}

/** The most characters of a changed text in an id. */
const CLIP = 80;

function clipped(text: string): string {
  return text.length <= CLIP ? text : `${text.slice(0, CLIP - 1)}…`;
}

function unusedId(id: string, used: ReadonlyMap<string, unknown>): string {
  let unused = id;
  for (let number = 2; used.has(unused); number++) unused = `${id} (${number})`;
  return unused;
}

/** Why the server rejects a mutant; undefined: it accepts it. */
async function rejectionOf(
  client: ClientBase,
  { ddl }: DerivedMutant,
): Promise<string | undefined> {
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

/** The name of a derived mutant, as `--mutant` takes it. */
export function derivedName(id: string): string {
  return DERIVED + id;
}

/** The name of the change that removes these protections, as `--mutant` takes it. */
export function withoutName(promise: string, protections: readonly string[]): string {
  return promise + WITHOUT + protections.join(AND);
}

function isDerived(mutant: string): boolean {
  return mutant.startsWith(DERIVED) || mutant.includes(WITHOUT);
}

/** The changes that remove these protections. */
export function changesWithout(
  { protections }: ServicePromise,
  names: readonly string[],
): readonly SchemaChange[] {
  return protections.filter(({ name }) => names.includes(name)).flatMap(({ without }) => without);
}

/** Derives the mutants of a service's schema, on a disposable database of `server`. */
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
 * The mutant of this name: a seeded bug, a derived mutant, or a promise without some of its
 * protections. The name of a seeded bug is not checked.
 * @throws HarnessError USAGE for a derived mutant, a promise or a protection that does not exist
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
    const message = `the service "${service.name}" has no mutant "${name}": ${cause.message}`;
    throw new HarnessError("USAGE", message, { cause });
  }
}

function changesNamed(promises: readonly ServicePromise[], name: string): readonly SchemaChange[] {
  if (name.startsWith(DERIVED)) return [name.slice(DERIVED.length)];
  const at = name.indexOf(WITHOUT);
  const promise = promises.find((other) => other.name === name.slice(0, at));
  const names = name.slice(at + WITHOUT.length).split(AND);
  const unknown = names.find((one) => !promise?.protections.some((other) => other.name === one));
  if (promise !== undefined && unknown === undefined) return changesWithout(promise, names);
  throw new HarnessError(
    "USAGE",
    `there is no mutant "${name}": the service has no such promise, or the promise no such protection`,
  );
}
