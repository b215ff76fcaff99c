import type { System, SystemContext } from "../execution/system.ts";
import { ConnectionOwners } from "./connection-owners.ts";
import { ForkedService } from "./forked-service.ts";
import type { RequestTarget } from "./http-service.ts";
import type {
  ConnectionPool,
  OutsideService,
  ServiceStart,
  StartService,
} from "./service-start.ts";

/** What the system knows of the pools of a service in this process. */
type Pools = Pick<
  System,
  "queued" | "ownerOf" | "connectionsInUse" | "mostConnections" | "waitsFor" | "warm"
>;

/** What requests are sent to, and what the system knows of its pools. */
export interface ServiceOfFunction extends RequestTarget {
  readonly pools?: Pools;
}

/** How a function starts a service. */
export interface FunctionOptions {
  /** The definition's file, which another process loads again. */
  readonly file: URL;
  readonly signal: AbortSignal;
  readonly mutant: string | undefined;
  readonly outside: OutsideService | undefined;
}

/**
 * Starts a service by its function: in this process, or in another one where faults may kill it. The other
 * process loads the definition's file again.
 */
export async function startFunction(
  service: StartService,
  context: SystemContext,
  { file, mutant, outside }: FunctionOptions,
): Promise<ServiceOfFunction> {
  const start: ServiceStart = {
    databaseUrl: await context.urlFor(),
    ...(mutant !== undefined && { mutant }),
    ...(outside && { outsideUrl: outside.url }),
  };
  if (context.killable) return startedApart(file, start);
  const { gatedStream } = context;
  const started = await service({ ...start, ...(gatedStream && { databaseStream: gatedStream }) });
  const { url, pools = [], warm } = started;
  const owners = pools.length === 0 ? undefined : new ConnectionOwners(pools);
  return {
    url,
    pools: {
      ...(owners && { ...countsOf(pools), ownerOf: (pid: number) => owners.ownerOf(pid) }),
      ...(warm && {
        async warm() {
          await started.warm?.();
        },
      }),
    },
    async stop() {
      owners?.stop();
      await started.stop();
    },
  };
}

async function startedApart(file: URL, start: ServiceStart): Promise<ServiceOfFunction> {
  const forked = new ForkedService(file, start);
  let running = await forked.start();
  return {
    get url() {
      return running.url;
    },
    async restart() {
      await forked.kill();
      running = await forked.start();
    },
    ...(running.warms && { pools: { warm: () => forked.warm() } }),
    stop: () => forked.close(),
  };
}

function countsOf(pools: readonly ConnectionPool[]): Pools {
  const sum = (count: (pool: ConnectionPool) => number) =>
    pools.reduce((total, pool) => total + count(pool), 0);
  const queued = () => sum(({ waitingCount }) => waitingCount);
  return {
    queued,
    mostConnections: () => Math.min(...pools.map(({ options }) => options?.max ?? Infinity)),
    connectionsInUse: () => sum(({ totalCount, idleCount }) => totalCount - idleCount),
    waitsFor: () => (queued() === 0 ? undefined : `connection pool: ${queued()} waiting`),
  };
}
