import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface, type Interface } from "node:readline/promises";
import { HarnessError } from "../core/error.ts";
import type { PausedExecution } from "../execution/executor.ts";
import { printable } from "../reporters/printable.ts";
import { clientStates } from "../reporters/step-text.ts";
import { stepLines } from "../reporters/text.ts";
import { TableChanges } from "./table-changes.ts";

/**
 * Walks an execution step by step in the terminal: what happened, where each client is, and which
 * rows were committed; and waits for Return. While it waits nothing moves, so that the database can
 * be looked at, with psql if that was asked for.
 */
export class StepThrough {
  readonly #clients: number;
  readonly #psql: boolean;
  readonly #lines: Interface;
  readonly #input: AsyncIterator<string>;
  #tables: TableChanges | undefined;
  #steps = 0;
  /** Whether to stop at each step. */
  #stopping = true;

  constructor(clients: number, psql: boolean) {
    this.#clients = clients;
    this.#psql = psql;
    this.#lines = createInterface({ input: process.stdin });
    this.#input = this.#lines[Symbol.asyncIterator]();
  }

  /** Called wherever all is at rest. */
  async at({ trace, directUrl }: PausedExecution): Promise<void> {
    this.#tables ??= await TableChanges.watch(directUrl);
    const changes = await this.#tables.since();
    const say = (line: string) => process.stdout.write(`${line}\n`);
    for (const line of stepLines(trace, this.#steps, this.#clients)) say(line);
    this.#steps = trace.filter(({ type }) => type === "move").length;
    for (const line of clientStates(trace, this.#clients)) say(`      ${line}`);
    for (const { table, gone, come } of changes) {
      for (const row of gone) say(`    - ${table} ${printable(row)}`);
      for (const row of come) say(`    + ${table} ${printable(row)}`);
    }
    if (this.#stopping) await this.#ask(directUrl);
    say("");
  }

  async #ask(directUrl: string): Promise<void> {
    for (;;) {
      process.stdout.write(
        `Return: next step; c: all the others${this.#psql ? "; p: psql" : ""} > `,
      );
      const { done, value } = await this.#input.next();
      process.stdout.write("\n");
      // Nobody is there to ask any more.
      if (done || value.trim() === "c") this.#stopping = false;
      if (value?.trim() !== "p" || !this.#psql) return;
      // Else both would read what is typed.
      process.stdin.pause();
      await psql(directUrl);
      process.stdin.resume();
    }
  }

  async close(): Promise<void> {
    this.#lines.close();
    await this.#tables?.close();
  }
}

async function psql(directUrl: string): Promise<void> {
  const child = spawn("psql", [directUrl], { stdio: "inherit" });
  const failed = once(child, "error").then(([error]: unknown[]) => {
    throw new HarnessError("USAGE", "psql cannot be started: install it, or leave out --psql", {
      cause: error,
    });
  });
  await Promise.race([once(child, "close"), failed]);
}
