import { Client } from "pg";
import type { Command } from "../core/command.ts";
import type { Json } from "../core/json.ts";
import type { Subject } from "../explorer/subject.ts";

/** The subject with a script of SQL run once after its migrations. It has no mutants of its own. */
export function mutated<State extends Json, C extends Command>(
  subject: Subject<State, C>,
  ddl: string,
): Subject<State, C> {
  return {
    ...subject,
    mutants: [],
    migrate: async (directUrl) => {
      await subject.migrate(directUrl, undefined);
      await withClient(directUrl, (client) => client.query(ddl));
    },
    start: (context) => subject.start(context, undefined),
  };
}

export async function withClient<T>(url: string, use: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}
