import { type ChildProcess, fork } from "node:child_process";
import { extname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { HarnessError } from "../core/error.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Database, Server } from "../postgres/provider.ts";
import { NO_COVERAGE } from "./coverage.ts";
import type { ExplorationBudget, Explorer, ScenarioResult } from "./explore-scenario.ts";
import { EMPTY_TALLY } from "./tally.ts";
import type { DatabaseCall, FromWorker, ToWorker, WorkerOptions } from "./worker-messages.ts";

/** The interval at which the limits of a worker's scenario are checked, in ms. */
const CHECK_INTERVAL_MS = 50;
/** How long a worker may take to close its executor. */
const GRACE_MS = 5_000;

const WORKER = fileURLToPath(new URL(`./worker${extname(import.meta.url)}`, import.meta.url));

type Reply = Extract<FromWorker, { readonly type: "ready" | "explored" }>;

/** Explores scenarios in another process, which starts with the first scenario. */
export class WorkerProcess<State extends Json, Op extends Operation>
  implements Explorer<State, Op>
{
  readonly #server: Server;
  readonly #options: Omit<WorkerOptions, "server">;
  readonly #signal: AbortSignal | undefined;
  readonly #databases = new Map<string, Pick<Database, DatabaseCall>>();
  #child: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();
  #onReply: ((reply: Reply | HarnessError) => void) | undefined;
  #onExecution: ((violations: number) => void) | undefined;
  /** Why the process does not answer any more. */
  #failure: HarnessError | undefined;

  constructor(
    server: Server,
    options: Omit<WorkerOptions, "server">,
    signal: AbortSignal | undefined,
  ) {
    this.#server = server;
    this.#options = options;
    this.#signal = signal;
  }

  async explore(index: number, budget: ExplorationBudget): Promise<ScenarioResult<State, Op>> {
    const checking = setInterval(() => {
      if (this.#signal?.aborted) this.#send({ type: "interrupt" });
      else if (!budget.more()) this.#send({ type: "stop" });
    }, CHECK_INTERVAL_MS);
    this.#onExecution = (violations) => budget.onExecution(violations);
    try {
      if (this.#child === undefined) await this.#start();
      const { executions, timeMs } = budget;
      const task = { used: budget.used(), executions, timeMs };
      const reply = await this.#request({ type: "explore", index, ...task });
      if (reply.type !== "explored") throw new Error("a worker process gave an unexpected reply");
      const { error } = reply;
      return {
        ...(reply.explored as Omit<ScenarioResult<State, Op>, "error">),
        error: error && new HarnessError(error.code, error.message),
      };
    } catch (error) {
      if (!(error instanceof HarnessError)) throw error;
      return resultOfError(error);
    } finally {
      clearInterval(checking);
    }
  }

  async #start(): Promise<void> {
    const child = fork(WORKER, {
      serialization: "advanced",
      // Output of the service must not get into the output of Heddle.
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    // Not the file itself: what is written to the stream is escaped.
    for (const output of [child.stdout, child.stderr]) {
      output?.on("data", (chunk: Buffer) => process.stderr.write(chunk));
    }
    this.#child = child;
    child.on("message", (message: FromWorker) => this.#receive(message));
    child.on("error", () => {});
    this.#ended = new Promise((resolve) => {
      child.once("exit", (code, signal) => {
        this.#fail(
          `a worker process ended (${signal ?? `exit code ${code}`}) before its work was done; ` +
            "run again, with --workers 1 if that happens again",
        );
        resolve();
      });
    });
    const { provider, version, superuser, description, folder } = this.#server;
    const server = { provider, version, superuser, description, folder };
    await this.#request({ type: "start", options: { ...this.#options, server } });
  }

  #receive(message: FromWorker): void {
    switch (message.type) {
      case "executed":
        this.#onExecution?.(message.violations);
        break;
      case "lease":
        void this.#answer(() => this.#lease());
        break;
      case "save":
      case "restore":
        void this.#answer(async () => {
          await this.#databases.get(message.name)?.[message.type]();
          return { type: "done" };
        });
        break;
      case "drop":
        void this.#answer(() => this.#drop(message.name));
        break;
      case "failed":
        this.#onReply?.(new HarnessError(message.error.code, message.error.message));
        break;
      default:
        this.#onReply?.(message);
    }
  }

  /** Sends what the worker waits for: the answer, or why there is none. */
  async #answer(work: () => Promise<ToWorker>): Promise<void> {
    try {
      this.#send(await work());
    } catch (error) {
      if (!(error instanceof HarnessError)) throw error;
      const { code, message } = error;
      this.#send({ type: "refused", error: { code, message } });
    }
  }

  async #lease(): Promise<ToWorker> {
    const { save, restore, drop, ...database } = await this.#server.lease();
    this.#databases.set(database.name, { save, restore, drop });
    return { type: "leased", database };
  }

  /** A database that cannot be dropped now is dropped when the server stops. */
  async #drop(name: string): Promise<ToWorker> {
    await this.#databases
      .get(name)
      ?.drop()
      .catch(() => {});
    this.#databases.delete(name);
    return { type: "done" };
  }

  #request(message: ToWorker): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure);
      this.#onReply = (reply) => (reply instanceof HarnessError ? reject(reply) : resolve(reply));
      this.#send(message);
    });
  }

  #send(message: ToWorker): void {
    if (this.#child?.connected) this.#child.send(message, () => {});
  }

  #fail(reason: string): void {
    this.#failure = new HarnessError("CONNECTION_LOST", reason);
    this.#onReply?.(this.#failure);
  }

  /** Ends the process, and drops its databases. */
  async close(): Promise<void> {
    if (this.#child === undefined) return;
    this.#send({ type: "interrupt" });
    this.#send({ type: "close" });
    await Promise.race([this.#ended, delay(GRACE_MS, undefined, { ref: false })]);
    this.#child.kill("SIGKILL");
    await this.#ended;
    for (const name of [...this.#databases.keys()]) await this.#drop(name);
  }
}

function resultOfError<State extends Json, Op extends Operation>(
  error: HarnessError,
): ScenarioResult<State, Op> {
  return {
    tally: EMPTY_TALLY,
    coverage: NO_COVERAGE,
    fingerprints: [],
    digest: "",
    complete: false,
    pruned: null,
    outcomes: 0,
    failing: undefined,
    undecided: undefined,
    error,
  };
}
