import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import type { ServiceOptions } from "./service.ts";

/** What the process of the service is told: how to start, or to open the connections that it lost. */
export type ToService =
  | { readonly options: ServiceOptions; readonly mutant: string | undefined }
  | "warm";

/** What it answers. */
export type FromService = "ready" | { readonly failed: string };

const PROCESS = fileURLToPath(
  new URL(`./service-process${extname(import.meta.url)}`, import.meta.url),
);

/** The booking service in a process of its own. */
export class ServiceApart {
  readonly #told: ToService;
  #child: ChildProcess | undefined;

  constructor(options: ServiceOptions, mutant: string | undefined) {
    this.#told = { options, mutant };
  }

  /** Resolves when it takes requests. */
  async start(): Promise<void> {
    // What it prints must not get into our output.
    this.#child = fork(PROCESS, { stdio: ["ignore", 2, 2, "ipc"] });
    await this.#ask(this.#told);
  }

  /** Opens the connections that were lost. */
  warm(): Promise<void> {
    return this.#ask("warm");
  }

  /** Resolves when it is gone. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#child = undefined;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }

  #ask(message: ToService): Promise<void> {
    const child = this.#child;
    return new Promise((resolve, reject) => {
      const ended = () => reject(new Error("the process of the service has ended"));
      child?.once("exit", ended);
      child?.once("message", (answer: FromService) => {
        child.off("exit", ended);
        if (answer === "ready") resolve();
        else reject(new Error(answer.failed));
      });
      child?.send(message, () => {});
    });
  }
}
