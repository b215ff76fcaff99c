import { Client } from "pg";
import { connectionLost } from "../core/error.ts";

/**
 * A session of the harness's own, past the gate. Whoever ends it makes the next question fail, with
 * the reason. Throws HarnessError `CONNECTION_LOST`.
 */
export async function controlConnection(directUrl: string, name: string): Promise<Client> {
  const client = new Client({ connectionString: directUrl, application_name: name });
  client.on("error", () => {});
  await client.connect().catch((error: Error) => {
    throw connectionLost(error.message);
  });
  return client;
}
