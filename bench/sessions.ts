import type { Duplex } from "node:stream";
import { Client, type QueryArrayResult } from "pg";
import type { Operation } from "../harness/core/operation.ts";
import type { ExecutorOptions } from "../harness/execution/executor-options.ts";
import type { System, SystemContext, SystemFactory } from "../harness/execution/system.ts";

/** A statement of a session. */
export type SessionStep = {
  /** Unique over all sessions. */
  readonly name: string;
  readonly sql: string;
};

/** Sessions that send SQL statements, with the schema, setup and teardown that they need. */
export interface SessionSpec {
  readonly name: string;
  /** SQL that creates the tables, once. */
  readonly schema: string;
  /** SQL that restores the initial state before each execution. */
  readonly setup: string;
  /** The steps of each session in their order. */
  readonly sessions: readonly (readonly SessionStep[])[];
  /** A query that reads the final state after each execution. */
  readonly teardown: string;
}

/** The server's answer to a step: its rows, with the columns as text, or the message of its error. */
export type SessionAnswer = { readonly step: string } & (
  | { readonly rows: readonly (readonly string[])[] }
  | { readonly error: string }
);

/** The only operation of a client: all steps of its session in sequence. */
export type BenchSession = Operation & {
  readonly name: "session";
  readonly steps: readonly SessionStep[];
};

/** Only statement gates: isolationtester too interleaves whole statements. */
export const OPTIONS: ExecutorOptions = {
  control: { gates: ["statement"], isolation: "read committed" },
  stepTimeoutMs: 10_000,
  signal: undefined,
};

/** Leaves values as the text that the server sends. */
const AS_TEXT = { getTypeParser: () => (text: string) => text };

/**
 * A system in which each client keeps one connection.
 *
 * @param over how clients connect to the gate: by a stream in this process, or by a socket
 */
export function sessionSetup(
  spec: Omit<SessionSpec, "name">,
  over: "stream" | "socket" = "stream",
): SystemFactory<null, BenchSession> {
  return {
    migrate: async (directUrl) => {
      const client = await connected(directUrl);
      if (spec.schema !== "") await client.query(spec.schema);
      await client.end();
    },
    start: ({ gatedStream, ...context }) =>
      start(spec, over === "socket" || !gatedStream ? context : { ...context, gatedStream }),
  };
}

async function start(
  spec: Pick<SessionSpec, "setup" | "sessions" | "teardown">,
  { gatedUrl, gatedStream, directUrl }: SystemContext,
): Promise<System<null, BenchSession>> {
  const direct = await connected(directUrl);
  const clients: Client[] = [];
  for (const _ of spec.sessions) clients.push(await connected(gatedUrl, gatedStream));
  return {
    reset: async () => {
      if (spec.setup !== "") await direct.query(spec.setup);
    },
    perform: async ({ steps }, number) => {
      const client = clients[number];
      if (client === undefined) throw new Error(`there is no session ${number}`);
      const answers: SessionAnswer[] = [];
      for (const step of steps) answers.push(await answer(client, step));
      return { outcome: "ok", code: "DONE", body: answers };
    },
    observe: async () => {
      const final = spec.teardown === "" ? [] : await rows(direct, spec.teardown);
      return { rows: final.map((columns) => ({ columns })) };
    },
    stop: async () => {
      for (const client of [direct, ...clients]) await client.end();
    },
  };
}

/** Opens a connection; losing it does not end this process. */
export async function connected(connectionString: string, stream?: () => Duplex): Promise<Client> {
  const client = new Client({ connectionString, ...(stream && { stream }) });
  client.on("error", () => {});
  await client.connect();
  return client;
}

async function answer(client: Client, { name, sql }: SessionStep): Promise<SessionAnswer> {
  try {
    return { step: name, rows: await rows(client, sql) };
  } catch (error) {
    return { step: name, error: (error as Error).message };
  }
}

async function rows(client: Client, text: string): Promise<string[][]> {
  const query = { text, rowMode: "array", types: AS_TEXT } as const;
  const result: QueryArrayResult<(string | null)[]> = await client.query(query);
  // isolationtester prints a null as an empty text.
  return result.rows.map((row) => row.map((column) => column ?? ""));
}
