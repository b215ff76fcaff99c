import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Leftover } from "./leftovers.ts";

/** What the reaper cleans up when this process has ended. */
export interface ReaperTask {
  readonly leftovers: readonly Leftover[];
  /** The run folder whose containers it removes. */
  readonly containers: string | null;
  /** The databases that it drops. */
  readonly databases: { readonly url: string; readonly names: readonly string[] } | null;
}

/** The pipe to the reaper: a process that cleans up after this one, even if this one is killed. */
export class Reaper {
  /** Resolves when the reaper ignores signals to the process group, or has failed to start. */
  readonly ready: Promise<void>;
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  #task: ReaperTask = { leftovers: [], containers: null, databases: null };

  constructor() {
    const { NODE_OPTIONS: _, ...env } = process.env;
    const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
    const program = fileURLToPath(new URL(`./reaper-process.${extension}`, import.meta.url));
    this.#child = spawn(process.execPath, [program], {
      // In a session of its own, which a Ctrl-C at the terminal does not reach.
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
      const becomeReady = () => {
        this.#child.stdout?.destroy();
        resolve();
      };
      this.#child.stdout?.once("data", becomeReady);
      void this.#exited.then(becomeReady);
    });
    // Without a reaper the run continues: the next start sweeps.
    this.#child.stdin?.on("error", () => {});
    this.#child.unref();
  }

  /** Adds a leftover. It replaces an earlier one with the same folder. */
  watch(leftover: Leftover): void {
    this.#send({ ...this.#task, leftovers: [...this.#without(leftover.folder), leftover] });
  }

  /** Removes the leftover with this folder. */
  forget(folder: string): void {
    this.#send({ ...this.#task, leftovers: this.#without(folder) });
  }

  /** Adds the containers that belong to a run folder, also those that do not exist yet. */
  watchContainers(folder: string): void {
    this.#send({ ...this.#task, containers: folder });
  }

  /** Removes the containers from the task. */
  forgetContainers(): void {
    this.#send({ ...this.#task, containers: null });
  }

  /** Sets the databases of a server to drop. */
  watchDatabases(url: string, names: readonly string[]): void {
    this.#send({ ...this.#task, databases: { url, names } });
  }

  /** Has the reaper do the rest of its task, normally nothing, and waits for its end. */
  async dismiss(): Promise<void> {
    this.#child.ref();
    this.#child.stdin?.end();
    await this.#exited;
  }

  #without(gone: string): Leftover[] {
    return this.#task.leftovers.filter(({ folder }) => folder !== gone);
  }

  #send(task: ReaperTask): void {
    this.#task = task;
    this.#child.stdin?.write(`${JSON.stringify(task)}\n`);
  }
}
