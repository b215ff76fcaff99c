import { Client, Pool } from "pg";
import type { SystemContext } from "../../harness/index.ts";

/** A pool whose connections are open from the start, and closed in the end whatever holds them. */
export interface WarmPool {
  readonly pool: Pool;
  /** Opens the connections that were lost. Nobody may use the pool meanwhile. */
  warm(): Promise<void>;
  /** Ends every connection, also one that was never given back, and waits until it has ended. */
  close(): Promise<void>;
}

export async function openPool(
  { gatedUrl, gatedStream }: Pick<SystemContext, "gatedUrl" | "gatedStream">,
  size: number,
): Promise<WarmPool> {
  const pool = new Pool({
    connectionString: gatedUrl,
    ...(gatedStream && { stream: gatedStream }),
    max: size,
    idleTimeoutMillis: 0,
  });
  const living = new Set<Client>();
  // A connection that dies is the business of whoever uses it; nobody uses an idle one.
  pool.on("error", ignore);
  pool.on("connect", (client) => {
    if (!(client instanceof Client)) return;
    living.add(client);
    client.on("error", ignore);
    client.once("end", () => living.delete(client));
  });

  const warm: WarmPool = {
    pool,
    async warm() {
      const opened = await Promise.allSettled(Array.from({ length: size }, () => pool.connect()));
      for (const one of opened) if (one.status === "fulfilled") one.value.release();
      const failed = opened.find((one) => one.status === "rejected");
      if (failed !== undefined) throw failed.reason;
    },
    async close() {
      // Not waited for: it would wait for ever for what is never given back.
      pool.end().catch(ignore);
      await Promise.all([...living].map((client) => client.end()));
    },
  };
  try {
    await warm.warm();
  } catch (error) {
    await warm.close();
    throw error;
  }
  return warm;
}

function ignore(): void {}
