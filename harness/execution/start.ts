import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "../core/command.ts";
import { HarnessError } from "../core/error.ts";
import { endsProcess, type Fault, isKill } from "../core/fault.ts";
import type { Json } from "../core/json.ts";
import type { Server } from "../postgres/provider.ts";
import { blamed } from "./blame.ts";
import type { Parts } from "./parts.ts";
import type { System, SystemContext } from "./system.ts";

/** What is executed: a schema, and a system under test that uses it. */
export interface Setup<State extends Json, C extends Command> {
  /** Applies the schema to an empty database. */
  migrate(directUrl: string): Promise<void>;
  start(context: SystemContext): Promise<System<State, C>>;
}

/**
 * Starts a system that stands the faults. Each start has a folder of its own, so that it meets no
 * socket of an earlier one. Throws HarnessError `UNSUPPORTED` when something cannot be killed that
 * the faults kill.
 */
export async function start<State extends Json, C extends Command>(
  server: Server,
  { database, folder, proxy }: Parts,
  setup: Setup<State, C>,
  faults: readonly Fault[] = [],
): Promise<System<State, C>> {
  const [crashes, mortal] = [faults.includes("crash"), faults.some(isKill)];
  if (crashes && server.faults === undefined) throw unsupported("crash", "this server");
  const own = await mkdtemp(join(folder, "s"));
  const context = {
    gatedUrl: proxy.url,
    gatedStream: () => proxy.connection(),
    urlFor: (client?: number) => proxy.urlFor(client),
    listenOn: (port: number) => proxy.listenOn(port),
    sessionsOf: (client: number) => proxy.sessionsOf(client),
    directUrl: database.url,
    mortal,
    folder: own,
  };
  const system = await blamed("the model's start()", setup.start(context));
  const what =
    (crashes && system.recover === undefined && "the database of this model") ||
    (mortal && system.kill === undefined && "the service of this model");
  if (what === false) return system;
  await system.stop();
  throw unsupported(faults.filter(endsProcess).join(","), what);
}

function unsupported(faults: string, what: string): HarnessError {
  return new HarnessError(
    "UNSUPPORTED",
    `${what} cannot be killed and started again: do without the faults ${faults}`,
  );
}
