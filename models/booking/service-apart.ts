import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import type { ServiceOptions } from "./service.ts";

/** A message to the service's process: start with these options, or reopen lost connections. */
export type ServiceRequest =
  | { readonly options: ServiceOptions; readonly mutant: string | undefined }
  | "warm";

/** The process's reply to a message. */
export type ServiceReply = "ready" | { readonly failed: string };

const PROCESS = fileURLToPath(
  new URL(`./service-process${extname(import.meta.url)}`, import.meta.url),
);

/**
 * The booking service in a process of its own. A spare process loads the code, which takes most of the
 * time of a start, while the current one still serves.
 */
export class ServiceProcess {
  readonly #startRequest: ServiceRequest;
  #child: ChildProcess | undefined;
  #spare: ChildProcess | undefined;

  constructor(options: ServiceOptions, mutant: string | undefined) {
    this.#startRequest = { options, mutant };
  }

  /** Resolves when the service accepts requests. */
  async start(): Promise<void> {
    this.#child = this.#spare ?? forkProcess();
    this.#spare = undefined;
    await this.#ask(this.#startRequest);
    this.#spare = forkProcess();
  }

  /** Reopens lost connections. */
  warm(): Promise<void> {
    return this.#ask("warm");
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

  #ask(message: ServiceRequest): Promise<void> {
    const child = this.#child;
    return new Promise((resolve, reject) => {
      const ended = () => reject(new Error("the service's process has ended"));
      if (child === undefined || hasEnded(child)) return ended();
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

/** Starts a process that loads the service's code and waits for a message. */
function forkProcess(): ChildProcess {
  // Its output must not mix with the report on standard output.
  return fork(PROCESS, { stdio: ["ignore", 2, 2, "ipc"] });
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
