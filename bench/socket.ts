import pg from "pg";
import { HarnessError } from "../harness/core/error.ts";
import { openEngine } from "../harness/postgres/container/engine.ts";
import { startServer } from "../harness/postgres/provider.ts";
import { type Benchmark, mediansInTurns } from "./benchmark.ts";

const ROUNDS = 40;
const PER_ROUND = 100;
const PORT = 5432;

/**
 * The time of a round trip to PostgreSQL in a container: over its Unix socket, which Heddle mounts
 * where the engine allows it, against the port that the engine maps.
 */
export async function socket(): Promise<Benchmark> {
  const server = await startServer("container");
  try {
    const { url } = await server.lease();
    const overSocket = await connected(url);
    const overPort = await connected(await mappedUrl(url));
    const round = (client: pg.Client) => async () => {
      for (let i = 0; i < PER_ROUND; i++) await client.query("select 1");
    };
    const ms = await mediansInTurns(ROUNDS, round(overSocket), round(overPort));
    await Promise.all([overSocket.end(), overPort.end()]);
    const microseconds = (median: number) => (median * 1_000) / PER_ROUND;
    return {
      name: "socket",
      ours: microseconds(ms.ours),
      theirs: microseconds(ms.theirs),
      ratio: ms.ours / ms.theirs,
      unit: "µs",
      compared: `a round trip (select 1) over the socket of a container, against one over its mapped port; lower is better: ${server.description}`,
    };
  } finally {
    await server.stop();
  }
}

async function connected(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  return client;
}

/** The URL of the same database over the mapped port, with the container's password. */
async function mappedUrl(url: string): Promise<string> {
  const folder = new URL(url).searchParams.get("host");
  if (folder === null) {
    throw new HarnessError(
      "UNSUPPORTED",
      "this container engine cannot mount a socket, so there is nothing to compare",
    );
  }
  const { api } = await openEngine();
  for (const { Id } of await api.listContainers()) {
    const { HostConfig, Config, NetworkSettings } = await api.getContainer(Id).inspect();
    if (!HostConfig.Binds?.some((bind) => bind.startsWith(`${folder}:`))) continue;
    const password = Config.Env.find((line) => line.startsWith("POSTGRES_PASSWORD="))?.split(
      "=",
    )[1];
    const port = NetworkSettings.Ports[`${PORT}/tcp`]?.[0]?.HostPort;
    const mapped = new URL(url);
    mapped.search = "";
    mapped.host = `127.0.0.1:${port}`;
    mapped.password = password ?? "";
    return mapped.href;
  }
  throw new Error("the container was not found");
}
