import { connect } from "../postgres/connection.ts";
import type { Database, Server } from "../postgres/server.ts";
import { PermutationRun } from "./permutation-run.ts";
import { permutationsOf, type Spec } from "./spec.ts";
import { SpecConnection } from "./spec-connection.ts";

export interface SpecOptions {
  /** The name of the spec. The `application_name` of a session is `isolation/NAME/SESSION`. */
  readonly name: string;
  /** Called with each piece of the output, which has isolationtester's format. */
  readonly print: (text: string) => void;
  /** A step is cancelled after this time; after twice this time the run fails. */
  readonly stepTimeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * Runs the permutations of a spec in a fresh database as isolationtester does: a session's next step is
 * sent once its last step has completed, no matter which other sessions wait.
 * @throws HarnessError SERVICE_FAILED when a setup fails, STEP_TIMEOUT when a step does not end after it
 * was cancelled, UNSUPPORTED when a step copies data from or to the client.
 */
export async function runSpec(server: Server, spec: Spec, options: SpecOptions): Promise<void> {
  const { name, print, stepTimeoutMs, signal } = options;
  for (const unused of unusedSteps(spec)) print(`unused step name: ${unused}\n`);
  print(`Parsed test spec with ${spec.sessions.length} sessions\n`);
  const database = await server.lease();
  const connections: SpecConnection[] = [];
  const open = async (session: string) => {
    const connection = await SpecConnection.open(database.url, name, session);
    connections.push(connection);
    return connection;
  };
  try {
    await resetDatabaseSettings(database);
    const control = await open("control connection");
    const sessions: SpecConnection[] = [];
    for (const session of spec.sessions) sessions.push(await open(session.name));
    const run = new PermutationRun({ spec, control, sessions, print, stepTimeoutMs, signal });
    for (const permutation of permutationsOf(spec)) await run.run(permutation);
  } finally {
    await database.drop();
    await Promise.allSettled(connections.map((connection) => connection.close()));
  }
}

/**
 * Removes the settings of a lease, since specs rely on the server's own deadlock_timeout, and sets the
 * formats of pg_regress, with which expected files are made
 * (https://github.com/postgres/postgres/blob/REL_15_STABLE/src/test/regress/pg_regress.c).
 */
async function resetDatabaseSettings({ name, url }: Database): Promise<void> {
  const client = await connect(url);
  try {
    await client.query(`alter database ${name} reset all;
      alter database ${name} set datestyle = 'Postgres, MDY';
      alter database ${name} set timezone = 'PST8PDT';
      alter database ${name} set intervalstyle = 'postgres_verbose'`);
  } finally {
    await client.end();
  }
}

function unusedSteps({ sessions, permutations }: Spec): string[] {
  if (permutations.length === 0) return [];
  const used = new Set(permutations.flatMap((steps) => steps.map(({ step }) => step)));
  return sessions
    .flatMap(({ steps }) => steps)
    .filter((step) => !used.has(step))
    .map((step) => step.name)
    .sort();
}
