import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { SystemFactory } from "../execution/system.ts";
import type { Server } from "../postgres/provider.ts";
import { StatementRecorder } from "./recorder.ts";
import { withValues } from "./sql-text.ts";
import { storedRows } from "./stored-rows.ts";

/** What comes before an execution, and what is asked after it, as SQL. */
export interface RecordedSetup {
  readonly setup: readonly string[];
  readonly check: readonly string[];
}

/**
 * Finds them out by having the system set itself up and observe in a database of its own: the
 * schema is what was sent, the initial state the rows that came of it. What observes nothing reads all
 * that there is.
 */
export async function recordSetup<State extends Json, Op extends Operation>(
  server: Server,
  setup: SystemFactory<State, Op>,
  initial: State,
): Promise<RecordedSetup> {
  const database = await server.lease();
  const recorder = await StatementRecorder.open(server, database.url);
  const folder = await mkdtemp(join(server.folder, "e"));
  try {
    await setup.migrate(recorder.url);
    const schema = recorder.take();
    const system = await setup.start({
      gatedUrl: database.url,
      urlFor: async () => database.url,
      sessionsOf: () => 0,
      listenOn: async () => {},
      directUrl: recorder.url,
      folder,
    });
    try {
      await system.reset(initial);
      const rows = await storedRows(database.url);
      recorder.take();
      await system.observe();
      const observed = recorder.take();
      if (observed.length === 0) await system.contents?.();
      const check = [...observed, ...recorder.take()].map(withValues);
      return { setup: [...schema.map(withValues), ...rows], check };
    } finally {
      await system.stop();
    }
  } finally {
    await recorder.close();
    await database.drop();
    await rm(folder, { recursive: true, force: true });
  }
}
