import { Client } from "pg";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Service } from "../service/service.ts";

/** The service with a script of SQL run once after its migrations. It has no mutants of its own. */
export function mutated<State extends Json, Op extends Operation>(
  service: Service<State, Op>,
  ddl: string,
): Service<State, Op> {
  return {
    ...service,
    seededBugs: [],
    migrate: async (directUrl) => {
      await service.migrate(directUrl, undefined);
      await withClient(directUrl, (client) => client.query(ddl));
    },
    start: (context) => service.start(context, undefined),
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
