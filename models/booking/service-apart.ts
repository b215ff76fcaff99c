import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import type { ServiceOptions } from "./service.ts";

/** What the process of the service is told: how to start, or to open the connections that it lost. */
export type ServiceRequest =
  | { readonly options: ServiceOptions; readonly mutant: string | undefined }
  | "warm";

/** What it answers. */
export type ServiceReply = "ready" | { readonly failed: string };

const PROCESS = fileURLToPath(
  new URL(`./service-process${extname(import.meta.url)}`, import.meta.url),
);

/**
 * The booking service in a process of its own. Another one stands ready: to load the code takes most of
 * the time of a start, and can be done while the one before still serves.
 */
export class ServiceProcess {
  readonly #told: ServiceRequest;
  #child: ChildProcess | undefined;
  #ready: ChildProcess | undefined;

  constructor(options: ServiceOptions, mutant: string | undefined) {
    this.#told = { options, mutant };
  }

  /** Resolves when it takes requests. */
  async start(): Promise<void> {
    this.#child = this.#ready ?? loading();
    this.#ready = undefined;
    await this.#ask(this.#told);
    this.#ready = loading();
  }

  /** Opens the connections that were lost. */
  warm(): Promise<void> {
    return this.#ask("warm");
  }

  /** Resolves when it is gone. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child !== undefined) await gone(child);
  }

  /** Resolves when nothing is left of it. */
  async close(): Promise<void> {
    await this.kill();
    if (this.#ready !== undefined) await gone(this.#ready);
  }

  #ask(message: ServiceRequest): Promise<void> {
    const child = this.#child;
    return new Promise((resolve, reject) => {
      const ended = () => reject(new Error("the process of the service has ended"));
      if (child === undefined || isGone(child)) return ended();
      child.once("exit", ended);
      child.once("message", (answer: ServiceReply) => {
        child.off("exit", ended);
        if (answer === "ready") resolve();
        else reject(new Error(answer.failed));
      });
      child.send(message, () => {});
    });
  }
}

/** A process that loads the service, and waits to be told how to start it. */
function loading(): ChildProcess {
  // What it prints must not get into our output.
  return fork(PROCESS, { stdio: ["ignore", 2, 2, "ipc"] });
}

async function gone(child: ChildProcess): Promise<void> {
  if (isGone(child)) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

function isGone({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}
