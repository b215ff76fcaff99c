import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { processes } from "../postgres/harness-process.fixture.ts";

const BIN = fileURLToPath(new URL("../../bin/heddle.js", import.meta.url));
const BOOKING = fileURLToPath(new URL("../../models/booking/index.ts", import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * A folder in which a test runs `heddle` as a user does, with a `heddle.config.json` that names the
 * booking service. Temporary files go to a folder of this place, so that the test can list
 * leftovers.
 */
export class TestFolder {
  readonly folder: string;
  readonly #temporary: string;

  private constructor(folder: string, temporary: string) {
    this.folder = folder;
    this.#temporary = temporary;
  }

  static async make(): Promise<TestFolder> {
    // Not os.tmpdir(): the length of a socket's path is limited.
    const place = new TestFolder(await mkdtemp("/tmp/hp-"), await mkdtemp("/tmp/ht-"));
    await writeFile(place.path("heddle.config.json"), JSON.stringify({ service: BOOKING }));
    return place;
  }

  /** Starts `heddle`. `ended` resolves with its output when the process has ended. */
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

  /** The temporary files that are left, and the processes whose command line names their folder. */
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

/** Resolves when the process has printed `text`, on either stream. */
export function printed(child: ChildProcess, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = "";
    const listen = (chunk: string) => {
      output += chunk;
      if (output.includes(text)) resolve();
    };
    child.stdout?.on("data", listen);
    child.stderr?.on("data", listen);
    child.once("close", () =>
      reject(new Error(`the process ended before it printed "${text}": ${output}`)),
    );
  });
}
