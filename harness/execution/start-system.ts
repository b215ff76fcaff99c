import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { HarnessError } from "../core/error.ts";
import { endsProcess, type Fault, isKill } from "../core/fault.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Server } from "../postgres/provider.ts";
import { attributed } from "./error-attribution.ts";
import type { System, SystemContext } from "./system.ts";
import type { Workspace } from "./workspace.ts";

/** What is executed: a schema, and a system under test that uses it. */
export interface SystemSetup<State extends Json, Op extends Operation> {
  /** Applies the schema to an empty database. */
  migrate(directUrl: string): Promise<void>;
  start(context: SystemContext): Promise<System<State, Op>>;
}

/**
 * Starts a system that stands the faults. Each start has a folder of its own, so that it meets no
 * socket of an earlier one. Throws HarnessError `UNSUPPORTED` when something cannot be killed that
 * the faults kill.
 */
export async function startSystem<State extends Json, Op extends Operation>(
  server: Server,
  { database, folder, proxy }: Workspace,
  setup: SystemSetup<State, Op>,
  faults: readonly Fault[] = [],
): Promise<System<State, Op>> {
  const [crashes, killable] = [faults.includes("crash"), faults.some(isKill)];
  if (crashes && server.faults === undefined) throw unsupported("crash", "this server");
  const own = await mkdtemp(join(folder, "s"));
  const context = {
    gatedUrl: proxy.url,
    gatedStream: () => proxy.connection(),
    urlFor: (client?: number) => proxy.urlFor(client),
    listenOn: (port: number) => proxy.listenOn(port),
    sessionsOf: (client: number) => proxy.sessionsOf(client),
    directUrl: database.url,
    killable,
    folder: own,
  };
  const system = await attributed("the service's start()", setup.start(context));
  const what =
    (crashes && system.recover === undefined && "the database of this model") ||
    (killable && system.kill === undefined && "the service of this model");
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
