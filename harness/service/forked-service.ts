import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { HarnessError } from "../core/error.ts";
import type { ServiceStart } from "./service-start.ts";

/** A message to the process of a service: load the definition, start the service, or reopen its connections. */
export type ForkRequest = { readonly load: string } | { readonly start: ServiceStart } | "warm";

/** A service that runs in another process. */
interface RunningFork {
  readonly url: string;
  /** Whether it can open the connections that were lost. */
  readonly warms: boolean;
}

/** The reply to `start` and `warm`. */
export type ForkReply = RunningFork | { readonly failed: string };

const PROCESS = fileURLToPath(
  new URL(`./forked-service-process${extname(import.meta.url)}`, import.meta.url),
);

/**
 * The service of a definition's function in a process of its own, which can be killed. A spare process loads
 * the code, which takes most of the time of a start, while the current one still serves.
 */
export class ForkedService {
  readonly #file: URL;
  readonly #start: ServiceStart;
  #child: ChildProcess | undefined;
  #spare: ChildProcess | undefined;

  /** @param file that of the definition */
  constructor(file: URL, start: ServiceStart) {
    this.#file = file;
    this.#start = start;
  }

  /** Resolves when the service accepts requests. No process is left if it cannot be started. */
  async start(): Promise<RunningFork> {
    this.#child = this.#spare ?? this.#fork();
    this.#spare = undefined;
    try {
      const running = await this.#ask({ start: this.#start });
      this.#spare = this.#fork();
      return running;
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** Reopens lost connections. */
  async warm(): Promise<void> {
    await this.#ask("warm");
  }

  /** Kills the service. Resolves when its process has ended. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child !== undefined) await killProcess(child);
  }

  /** Kills the service and the spare process. */
  async close(): Promise<void> {
    await this.kill();
    if (this.#spare !== undefined) await killProcess(this.#spare);
  }

  #ask(message: ForkRequest): Promise<RunningFork> {
    const child = this.#child;
    return new Promise((resolve, reject) => {
      const failed = (why: string) => reject(new HarnessError("SERVICE_FAILED", why));
      const ended = () => failed("the process of the service has ended");
      if (child === undefined || hasEnded(child)) return ended();
      child.once("exit", ended);
      child.once("message", (reply: ForkReply) => {
        child.off("exit", ended);
        if ("url" in reply) resolve(reply);
        else failed(`the service cannot be started in another process: ${reply.failed}`);
      });
      child.send(message, () => {});
    });
  }

  /** Starts a process that loads the definition, and waits for a message. */
  #fork(): ChildProcess {
    // Its output must not mix with the report on standard output.
    const child = fork(PROCESS, { stdio: ["ignore", 2, 2, "ipc"] });
    child.send({ load: this.#file.href } satisfies ForkRequest, () => {});
    return child;
  }
}

async function killProcess(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}
