import type { Command } from "../core/command.ts";
import { HarnessError } from "../core/error.ts";
import type { Json } from "../core/json.ts";
import type { Subject } from "../explorer/subject.ts";
import type { Server } from "../postgres/provider.ts";
import { type Derivation, deriveMutants } from "./derivation.ts";
import { mutated, withClient } from "./mutated.ts";

const PREFIX = "derived:";

/** The name under which derived mutants, by their ids, are planted together like one of a model's. */
export function derivedName(ids: readonly string[]): string {
  return ids.map((id) => PREFIX + id).join("; ");
}

export function isDerived(mutant: string): boolean {
  return mutant.startsWith(PREFIX);
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
 * The subject with the derived mutants that a name stands for.
 * @throws HarnessError USAGE when its schema has none of that id, or they cannot be together.
 */
export async function derivedSubject<State extends Json, C extends Command>(
  server: Server,
  subject: Subject<State, C>,
  name: string,
): Promise<Subject<State, C>> {
  const { combined } = await derivationOf(server, subject);
  try {
    return mutated(subject, combined(name.slice(PREFIX.length).split(`; ${PREFIX}`)));
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    const said = `${cause.message}: heddle mutants --derived lists those of the model "${subject.name}"`;
    throw new HarnessError("USAGE", said, { cause });
  }
}
