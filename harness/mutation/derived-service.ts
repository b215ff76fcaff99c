import { HarnessError } from "../core/error.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import { withClient } from "../postgres/connection.ts";
import type { Server } from "../postgres/provider.ts";
import type { AppliedMutant } from "../service/open-executor.ts";
import type { SchemaChange, Service, ServicePromise } from "../service/service.ts";
import { type Derivation, deriveMutants } from "./derivation.ts";

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
  { protections }: ServicePromise,
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
    const said = `the service "${service.name}" has no mutant "${name}": ${cause.message}`;
    throw new HarnessError("USAGE", said, { cause });
  }
}

function changesNamed(promises: readonly ServicePromise[], name: string): readonly SchemaChange[] {
  if (name.startsWith(DERIVED)) return [name.slice(DERIVED.length)];
  const at = name.indexOf(WITHOUT);
  const promise = promises.find((one) => one.name === name.slice(0, at));
  const names = name.slice(at + WITHOUT.length).split(AND);
  const unknown = names.find((one) => !promise?.protections.some((it) => it.name === one));
  if (promise !== undefined && unknown === undefined) return changesWithout(promise, names);
  const said = `the model has no such promise with such protections as "${name}" says`;
  throw new HarnessError("USAGE", said);
}
