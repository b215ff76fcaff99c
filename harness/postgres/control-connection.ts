import { Client } from "pg";
import { connectionLost } from "../core/error.ts";

/**
 * Opens a connection of the harness's own that bypasses the proxy. If the connection is lost while
 * idle, the next query on it fails with the reason.
 *
 * @param name the session's `application_name`
 * @throws HarnessError CONNECTION_LOST when the server cannot be reached.
 */
export async function controlConnection(directUrl: string, name: string): Promise<Client> {
  const client = new Client({ connectionString: directUrl, application_name: name });
  // Without a listener, losing the connection would end this process.
  client.on("error", () => {});
  await client.connect().catch((error: Error) => {
    throw connectionLost(error.message);
  });
  return client;
}
