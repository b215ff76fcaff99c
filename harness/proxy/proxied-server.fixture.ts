import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { Client } from "pg";
import type { Database, Server } from "../postgres/provider.ts";
import { WireProxy } from "./wire-proxy.ts";

/** A proxy to a leased database, and a connection past it. */
export interface Proxied {
  readonly proxy: WireProxy;
  readonly folder: string;
  readonly database: Database;
  readonly direct: Client;
  /** The value that a query gives, past the proxy. */
  ask(sql: string, values?: readonly unknown[]): Promise<unknown>;
  /** Resolves once `sql`, repeated past the proxy, gives true. */
  become(sql: string, values?: readonly unknown[]): Promise<void>;
  stop(): Promise<void>;
}

const LONGEST_MS = 10_000;

/** Resolves once `condition` holds; rejects if it does not within 10 s. */
export async function eventually(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + LONGEST_MS;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`never came true: ${condition}`);
    await turn();
  }
}

export async function proxied(server: Server): Promise<Proxied> {
  const database = await server.lease();
  const folder = await mkdtemp(join(server.folder, "w"));
  const proxy = await WireProxy.start(database.url, folder);
  const direct = new Client({ connectionString: database.url });
  await direct.connect();
  const ask = async (sql: string, values: readonly unknown[] = []) => {
    const { rows } = await direct.query<{ [column: string]: unknown }>(sql, [...values]);
    return Object.values(rows[0] ?? {})[0];
  };
  return {
    proxy,
    folder,
    database,
    direct,
    ask,
    become: (sql, values) => eventually(async () => (await ask(sql, values)) === true),
    stop: async () => {
      await proxy.stop();
      await direct.end();
      await database.drop();
    },
  };
}

/** A client that is connected to `url`. */
export async function connected(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect();
  return client;
}
