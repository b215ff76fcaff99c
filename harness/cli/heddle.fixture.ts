import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { processes } from "../postgres/harness-process.fixture.ts";

const BIN = fileURLToPath(new URL("../../bin/heddle.js", import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * A place in which `heddle` runs as a user would run it, and where all that it leaves behind can
 * be seen: its temporary files go to a folder of this place's own.
 */
export class Place {
  readonly folder: string;
  readonly #temporary: string;

  private constructor(folder: string, temporary: string) {
    this.folder = folder;
    this.#temporary = temporary;
  }

  static async make(): Promise<Place> {
    // Not the system's own folder: socket paths are short, and so must be what comes before them.
    return new Place(await mkdtemp("/tmp/hp-"), await mkdtemp("/tmp/ht-"));
  }

  /** Starts `heddle`; `ended` settles when it has ended. */
  start(...args: string[]): { readonly child: ChildProcess; readonly ended: Promise<Ended> } {
    const { HEDDLE_POSTGRES_URL: _, ...env } = process.env;
    const child = spawn(process.execPath, [BIN, ...args], {
      cwd: this.folder,
      env: { ...env, TMPDIR: this.#temporary, NO_COLOR: "1" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    const ended = new Promise<Ended>((resolve) => {
      child.once("close", (code) => resolve({ code, stdout, stderr }));
    });
    return { child, ended };
  }

  heddle(...args: string[]): Promise<Ended> {
    return this.start(...args).ended;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Files that are left, and processes that have this place in their command line. */
  async leftovers(): Promise<string[]> {
    const files = await readdir(this.#temporary);
    const living = processes().filter(({ command }) => command.includes(this.#temporary));
    return [...files, ...living.map(({ command }) => command)];
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true });
    await rm(this.#temporary, { recursive: true, force: true });
  }
}

/** Resolves when the process says `text`, on either stream. */
export function saying(child: ChildProcess, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = "";
    const listen = (chunk: string) => {
      said += chunk;
      if (said.includes(text)) resolve();
    };
    child.stdout?.on("data", listen);
    child.stderr?.on("data", listen);
    child.once("close", () => reject(new Error(`it ended without saying "${text}": ${said}`)));
  });
}
