import { type ChildProcess, fork } from "node:child_process";
import { extname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { HarnessError } from "../core/error.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Database, Server } from "../postgres/provider.ts";
import { NOTHING_COVERED } from "./coverage.ts";
import type { ExplorationBudget, Explorer, ScenarioResult } from "./explore-scenario.ts";
import { EMPTY } from "./tally.ts";
import type { FromWorker, ToWorker, WorkerOptions } from "./worker-messages.ts";

/** How often a worker's time is looked at, in ms. */
const LOOK_EVERY = 50;
/** How long a worker may take to close what it has opened. */
const GRACE_MS = 5_000;

const WORKER = fileURLToPath(new URL(`./worker${extname(import.meta.url)}`, import.meta.url));

type Reply = Extract<FromWorker, { readonly type: "ready" | "explored" }>;

/** Another process that explores scenarios. It starts with the first of them. */
export class WorkerProcess<State extends Json, Op extends Operation>
  implements Explorer<State, Op>
{
  readonly #server: Server;
  readonly #options: Omit<WorkerOptions, "server">;
  readonly #signal: AbortSignal | undefined;
  readonly #databases = new Map<string, Database>();
  #child: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();
  #onReply: ((reply: Reply | HarnessError) => void) | undefined;
  #onExecution: ((violations: number) => void) | undefined;
  /** Why nothing can be asked of it any more. */
  #gone: HarnessError | undefined;

  constructor(
    server: Server,
    options: Omit<WorkerOptions, "server">,
    signal: AbortSignal | undefined,
  ) {
    this.#server = server;
    this.#options = options;
    this.#signal = signal;
  }

  async explore(index: number, effort: ExplorationBudget): Promise<ScenarioResult<State, Op>> {
    const looking = setInterval(() => {
      if (this.#signal?.aborted) this.#tell({ type: "interrupt" });
      else if (!effort.more()) this.#tell({ type: "stop" });
    }, LOOK_EVERY);
    this.#onExecution = (violations) => effort.onExecution(violations);
    try {
      if (this.#child === undefined) await this.#start();
      const task = { used: effort.used(), executions: effort.executions };
      const reply = await this.#asked({ type: "explore", index, ...task });
      if (reply.type !== "explored") throw new Error("a worker answered something else");
      const { error } = reply;
      return {
        ...(reply.explored as Omit<ScenarioResult<State, Op>, "error">),
        error: error && new HarnessError(error.code, error.message),
      };
    } catch (error) {
      if (!(error instanceof HarnessError)) throw error;
      return nothingBut(error);
    } finally {
      clearInterval(looking);
    }
  }

  async #start(): Promise<void> {
    const child = fork(WORKER, {
      serialization: "advanced",
      // What a model prints must not get into our output.
      stdio: ["ignore", 2, 2, "ipc"],
    });
    this.#child = child;
    child.on("message", (message: FromWorker) => this.#told(message));
    child.on("error", () => {});
    this.#ended = new Promise((resolve) => {
      child.once("exit", (code, signal) => {
        this.#lost(
          `a worker process ended (${signal ?? `exit code ${code}`}) before its work was done; ` +
            "run it again, with --workers 1 if that happens again",
        );
        resolve();
      });
    });
    const { provider, version, description, folder } = this.#server;
    const server = { provider, version, description, folder };
    await this.#asked({ type: "start", options: { ...this.#options, server } });
  }

  #told(message: FromWorker): void {
    switch (message.type) {
      case "executed":
        this.#onExecution?.(message.violations);
        break;
      case "lease":
        void this.#lease();
        break;
      case "drop":
        void this.#drop(message.name);
        break;
      case "failed":
        this.#onReply?.(new HarnessError(message.error.code, message.error.message));
        break;
      default:
        this.#onReply?.(message);
    }
  }

  async #lease(): Promise<void> {
    try {
      const database = await this.#server.lease();
      this.#databases.set(database.name, database);
      const { name, url, lockWaits } = database;
      this.#tell({ type: "leased", database: { name, url, lockWaits } });
    } catch (error) {
      if (!(error instanceof HarnessError)) throw error;
      const { code, message } = error;
      this.#tell({ type: "refused", error: { code, message } });
    }
  }

  /** What cannot be dropped, the server drops when it stops. */
  async #drop(name: string): Promise<void> {
    await this.#databases
      .get(name)
      ?.drop()
      .catch(() => {});
    this.#databases.delete(name);
    this.#tell({ type: "dropped" });
  }

  #asked(message: ToWorker): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (this.#gone !== undefined) return reject(this.#gone);
      this.#onReply = (reply) => (reply instanceof HarnessError ? reject(reply) : resolve(reply));
      this.#tell(message);
    });
  }

  #tell(message: ToWorker): void {
    if (this.#child?.connected) this.#child.send(message, () => {});
  }

  #lost(why: string): void {
    this.#gone = new HarnessError("CONNECTION_LOST", why);
    this.#onReply?.(this.#gone);
  }

  /** Ends the process, and drops its databases. */
  async close(): Promise<void> {
    if (this.#child === undefined) return;
    this.#tell({ type: "interrupt" });
    this.#tell({ type: "close" });
    await Promise.race([this.#ended, delay(GRACE_MS, undefined, { ref: false })]);
    this.#child.kill("SIGKILL");
    await this.#ended;
    for (const name of [...this.#databases.keys()]) await this.#drop(name);
  }
}

function nothingBut<State extends Json, Op extends Operation>(
  error: HarnessError,
): ScenarioResult<State, Op> {
  return {
    tally: EMPTY,
    coverage: NOTHING_COVERED,
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
