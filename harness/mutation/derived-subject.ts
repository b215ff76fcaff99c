import type { Command } from "../core/command.ts";
import { HarnessError } from "../core/error.ts";
import type { Json } from "../core/json.ts";
import type { Promised, SchemaChange } from "../core/layers.ts";
import type { Subject } from "../explorer/subject.ts";
import type { Server } from "../postgres/provider.ts";
import { type Derivation, deriveMutants } from "./derivation.ts";
import { mutated, withClient } from "./mutated.ts";

const DERIVED = "derived:";
const WITHOUT = " without ";
const AND = " + ";

/** The name under which a derived mutant is planted like one of a model's. */
export function derivedName(id: string): string {
  return DERIVED + id;
}

/** The name under which a model is planted that lacks some of a promise's protections. */
export function withoutName(promise: string, protections: readonly string[]): string {
  return promise + WITHOUT + protections.join(AND);
}

/** Whether a name stands for changes of the schema that only the schema itself tells. */
export function isDerived(mutant: string): boolean {
  return mutant.startsWith(DERIVED) || mutant.includes(WITHOUT);
}

/** What takes these protections away. */
export function changesWithout(
  { protections }: Promised,
  names: readonly string[],
): readonly SchemaChange[] {
  return protections.filter(({ name }) => names.includes(name)).flatMap(({ without }) => without);
}

/** The mutants of a subject's schema, as migrated on a database of `server`. */
export async function derivationOf<State extends Json, C extends Command>(
  server: Server,
  subject: Subject<State, C>,
): Promise<Derivation> {
  const database = await server.lease();
  try {
    await subject.migrate(database.url, undefined);
    return await withClient(database.url, deriveMutants);
  } finally {
    await database.drop();
  }
}

/**
 * The subject with the changes that a name stands for.
 * @throws HarnessError USAGE when its schema has no such derived mutant, or the model no such
 * promise, or when the changes cannot be made together.
 */
export async function derivedSubject<State extends Json, C extends Command>(
  server: Server,
  subject: Subject<State, C>,
  name: string,
): Promise<Subject<State, C>> {
  const changes = changesNamed(subject.promises ?? [], name);
  const { combined } = await derivationOf(server, subject);
  try {
    return mutated(subject, combined(changes));
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    const said = `the model "${subject.name}" has no mutant "${name}": ${cause.message}`;
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
