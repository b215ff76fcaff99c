import { HarnessError } from "../core/error.ts";
import type { Executor } from "../execution/executor.ts";
import { loadService } from "../loading/load-service.ts";
import type { Database, Server } from "../postgres/provider.ts";
import { strategyNamed } from "../scheduler/strategies.ts";
import { openExecutor } from "../service/open-executor.ts";
import { checkersFor } from "./bounded-exploration.ts";
import { ScenarioExplorer } from "./explore-scenario.ts";
import { withPairs } from "./independent-pairs.ts";
import { footprintsFor } from "./verify.ts";
import type {
  DatabaseCall,
  FromWorker,
  PlainError,
  ToWorker,
  WorkerOptions,
} from "./worker-messages.ts";

/*
 * The entry point of a worker process. It explores scenarios of a campaign by their numbers, one
 * after the other, on a database that the main process leases for it. It ends with the main process.
 */

const interrupted = new AbortController();
let stopped = false;
/** The resolvers of pending requests for databases, which are answered in order. */
const pendingRequests: ((answer: ToWorker) => void)[] = [];
let executor: Executor<never, never> | undefined;
let explorer: ScenarioExplorer<never, never> | undefined;

process.on("disconnect", () => process.exit());
// A terminal signals all of its processes; the main process decides, and sends a message.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => {});

process.on("message", (message: ToWorker) => {
  switch (message.type) {
    case "start":
      void start(message.options).then(() => send({ type: "ready" }), failed);
      break;
    case "explore":
      void explore(message).catch(failed);
      break;
    case "stop":
      stopped = true;
      break;
    case "interrupt":
      stopped = true;
      interrupted.abort();
      break;
    case "close":
      void close();
      break;
    default:
      pendingRequests.shift()?.(message);
  }
});

async function start(options: WorkerOptions): Promise<void> {
  const { control, stepTimeoutMs, mutant } = options;
  const loaded = await loadService(options.serviceFile);
  const profiled = loaded.profiled?.(options.profile) ?? loaded;
  const { pairNames, queries } = options;
  const service = { ...(pairNames ? withPairs(profiled, pairNames) : profiled), queries };
  const strategy = strategyNamed(options.strategy, options.strategyOptions);
  const opened = await openExecutor(serverOf(options.server), service, mutant, {
    control,
    stepTimeoutMs,
    signal: interrupted.signal,
    ...(strategy.faults && { faults: strategy.faults }),
    ...footprintsFor(strategy),
  });
  executor = opened as Executor<never, never>;
  const checkers = checkersFor(opened, service, options);
  explorer = new ScenarioExplorer(opened, service, checkers, {
    ...options,
    strategy,
  }) as ScenarioExplorer<never, never>;
}

/** The server of the main process, which creates and drops the databases. */
function serverOf(server: WorkerOptions["server"]): Server {
  const call = (type: DatabaseCall, name: string) => async () => {
    const answer = await request({ type, name });
    if (answer.type === "refused") throw harnessError(answer.error);
  };
  return {
    ...server,
    lease: async (): Promise<Database> => {
      const answer = await request({ type: "lease" });
      if (answer.type === "refused") throw harnessError(answer.error);
      if (answer.type !== "leased") throw new Error(`expected a database, not ${answer.type}`);
      const { database } = answer;
      const { name } = database;
      const calls = { save: call("save", name), restore: call("restore", name) };
      return { ...database, ...calls, drop: call("drop", name) };
    },
    stop: async () => {},
  };
}

function request(message: FromWorker): Promise<ToWorker> {
  return new Promise((resolve) => {
    pendingRequests.push(resolve);
    send(message);
  });
}

async function explore(task: Extract<ToWorker, { type: "explore" }>): Promise<void> {
  if (explorer === undefined) throw new Error("a worker cannot explore before it is started");
  stopped = interrupted.signal.aborted;
  const { error, ...explored } = await explorer.explore(task.index, {
    used: () => task.used,
    executions: task.executions,
    timeMs: task.timeMs,
    more: () => !stopped,
    onExecution: (violations) => send({ type: "executed", violations }),
  });
  send({
    type: "explored",
    explored,
    error: error && { code: error.code, message: error.message },
  });
}

async function close(): Promise<void> {
  await executor?.close();
  process.disconnect();
}

function send(message: FromWorker): void {
  if (process.connected) process.send?.(message);
}

/** Any error but a `HarnessError` is a bug: it ends this process. */
function failed(error: unknown): void {
  if (!(error instanceof HarnessError)) throw error;
  send({ type: "failed", error: { code: error.code, message: error.message } });
}

function harnessError({ code, message }: PlainError): HarnessError {
  return new HarnessError(code, message);
}
