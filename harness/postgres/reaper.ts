import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Leftover } from "./leftovers.ts";

/** What is to be cleaned up if we are gone. */
export interface ReaperTask {
  readonly leftovers: readonly Leftover[];
  /** The run folder whose containers are to be removed. */
  readonly containers: string | null;
  readonly databases: { readonly url: string; readonly names: readonly string[] } | null;
}

/** Our end of the pipe to a process that cleans up when we cannot, since we were killed. */
export class Reaper {
  /** Settles when it would survive a signal to all of our processes, or has failed. */
  readonly ready: Promise<void>;
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  #duty: ReaperTask = { leftovers: [], containers: null, databases: null };

  constructor() {
    const { NODE_OPTIONS: _, ...env } = process.env;
    const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
    const program = fileURLToPath(new URL(`./reaper-process.${extension}`, import.meta.url));
    this.#child = spawn(process.execPath, [program], {
      // A session of its own, which a Ctrl-C at the terminal does not reach.
      detached: true,
      cwd: "/",
      env,
      stdio: ["pipe", "pipe", "ignore"],
      windowsHide: true,
    });
    this.#exited = new Promise((resolve) => {
      this.#child.once("exit", () => resolve());
      this.#child.once("error", () => resolve());
    });
    this.ready = new Promise((resolve) => {
      const settle = () => {
        this.#child.stdout?.destroy();
        resolve();
      };
      this.#child.stdout?.once("data", settle);
      void this.#exited.then(settle);
    });
    // Without it we go on: the next start sweeps.
    this.#child.stdin?.on("error", () => {});
    this.#child.unref();
  }

  /** Adds what is to be cleared, in place of what was said of the same folder before. */
  watch(leftover: Leftover): void {
    this.#tell({ ...this.#duty, leftovers: [...this.#without(leftover.folder), leftover] });
  }

  /** Says that a folder is gone. */
  forget(folder: string): void {
    this.#tell({ ...this.#duty, leftovers: this.#without(folder) });
  }

  /** Has the containers that belong to a run folder removed, those too that are still to come. */
  watchContainers(folder: string): void {
    this.#tell({ ...this.#duty, containers: folder });
  }

  /** Says that there are no containers any more. */
  forgetContainers(): void {
    this.#tell({ ...this.#duty, containers: null });
  }

  /** Sets which databases of a server are to be dropped. */
  watchDatabases(url: string, names: readonly string[]): void {
    this.#tell({ ...this.#duty, databases: { url, names } });
  }

  /** Lets it do what is left of its duty, normally nothing, and waits for its end. */
  async dismiss(): Promise<void> {
    this.#child.ref();
    this.#child.stdin?.end();
    await this.#exited;
  }

  #without(gone: string): Leftover[] {
    return this.#duty.leftovers.filter(({ folder }) => folder !== gone);
  }

  #tell(duty: ReaperTask): void {
    this.#duty = duty;
    this.#child.stdin?.write(`${JSON.stringify(duty)}\n`);
  }
}
