import { HarnessError } from "../core/error.ts";
import type { Executor } from "../execution/executor.ts";
import { loadService } from "../loading/load-service.ts";
import type { Database, Server } from "../postgres/provider.ts";
import { strategies } from "../scheduler/strategies.ts";
import { openExecutor } from "../service/open-executor.ts";
import { checkersFor } from "./campaign-run.ts";
import { ScenarioExplorer } from "./explore-scenario.ts";
import { footprintsFor } from "./verify.ts";
import type { FromWorker, PlainError, ToWorker, WorkerOptions } from "./worker-messages.ts";

/*
 * A worker process: explores scenarios of a campaign by their numbers, one after the other, on a
 * database that the main process leases for it. It ends when that one is gone.
 */

const interrupted = new AbortController();
let stopped = false;
/** Requests for databases, answered in order. */
const asked: ((answer: ToWorker) => void)[] = [];
let executor: Executor<never, never> | undefined;
let explorer: ScenarioExplorer<never, never> | undefined;

process.on("disconnect", () => process.exit());
// They reach all processes of a terminal; the main process answers them, and tells us.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => {});

process.on("message", (message: ToWorker) => {
  switch (message.type) {
    case "start":
      void start(message.options).then(() => tell({ type: "ready" }), failed);
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
      asked.shift()?.(message);
  }
});

async function start(options: WorkerOptions): Promise<void> {
  const { control, stepTimeoutMs, mutant } = options;
  const service = { ...(await loadService(options.serviceFile)), queries: options.queries };
  const found = strategies(options.strategyOptions).find(({ name }) => name === options.strategy);
  if (found === undefined) throw new Error(`there is no strategy ${options.strategy}`);
  const opened = await openExecutor(serverOf(options.server), service, mutant, {
    control,
    stepTimeoutMs,
    signal: interrupted.signal,
    ...(found.faults && { faults: found.faults }),
    ...footprintsFor(found, control),
  });
  executor = opened as Executor<never, never>;
  const checkers = checkersFor(opened, service, options);
  explorer = new ScenarioExplorer(opened, service, checkers, {
    ...options,
    strategy: found,
  }) as ScenarioExplorer<never, never>;
}

/** The main process's server: it alone creates and drops databases. */
function serverOf(server: WorkerOptions["server"]): Server {
  const drop = (name: string) => async () => {
    await ask({ type: "drop", name });
  };
  return {
    ...server,
    lease: async (): Promise<Database> => {
      const answer = await ask({ type: "lease" });
      if (answer.type === "refused") throw harnessError(answer.error);
      if (answer.type !== "leased") throw new Error(`a database was asked for, not ${answer.type}`);
      return { ...answer.database, drop: drop(answer.database.name) };
    },
    stop: async () => {},
  };
}

function ask(question: FromWorker): Promise<ToWorker> {
  return new Promise((resolve) => {
    asked.push(resolve);
    tell(question);
  });
}

async function explore(task: Extract<ToWorker, { type: "explore" }>): Promise<void> {
  if (explorer === undefined) throw new Error("a worker was asked to explore before it started");
  stopped = interrupted.signal.aborted;
  const { error, ...explored } = await explorer.explore(task.index, {
    used: () => task.used,
    executions: task.executions,
    more: () => !stopped,
    onExecution: (violations) => tell({ type: "executed", violations }),
  });
  tell({
    type: "explored",
    explored,
    error: error && { code: error.code, message: error.message },
  });
}

async function close(): Promise<void> {
  await executor?.close();
  process.disconnect();
}

function tell(message: FromWorker): void {
  if (process.connected) process.send?.(message);
}

/** What is no fault of the surroundings is a mistake: this process ends with it. */
function failed(error: unknown): void {
  if (!(error instanceof HarnessError)) throw error;
  tell({ type: "failed", error: { code: error.code, message: error.message } });
}

function harnessError({ code, message }: PlainError): HarnessError {
  return new HarnessError(code, message);
}
