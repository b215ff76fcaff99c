import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface, type Interface } from "node:readline/promises";
import type { Client } from "pg";
import { HarnessError } from "../core/error.ts";
import type { JsonObject } from "../core/json.ts";
import type { PausedExecution } from "../execution/executor-options.ts";
import { openClient } from "../postgres/connection.ts";
import { printable } from "../reporters/format-values.ts";
import { clientStates, stepLines } from "../reporters/text.ts";
import { print } from "./output.ts";

/**
 * Walks through an execution in the terminal. At each step it prints the step, the state of each
 * client and the rows that were committed, and waits for Return. The execution is paused meanwhile,
 * so that the database can be inspected, with psql if `psql` is set.
 */
export class StepThrough {
  readonly #clients: number;
  readonly #names: readonly string[] | undefined;
  readonly #psql: boolean;
  readonly #lines: Interface;
  readonly #input: AsyncIterator<string>;
  #tables: TableChanges | undefined;
  #steps = 0;
  /** Whether to stop at each step. */
  #stopping = true;

  constructor(clients: number, names: readonly string[] | undefined, psql: boolean) {
    this.#clients = clients;
    this.#names = names;
    this.#psql = psql;
    this.#lines = createInterface({ input: process.stdin });
    this.#input = this.#lines[Symbol.asyncIterator]();
  }

  /** Called at each quiescent point of the execution. */
  async at({ trace, directUrl }: PausedExecution): Promise<void> {
    this.#tables ??= await TableChanges.watch(directUrl);
    const changes = await this.#tables.next();
    const printLine = (line: string) => print(`${line}\n`);
    for (const line of stepLines(trace, this.#steps, this.#clients, this.#names)) printLine(line);
    this.#steps = trace.filter(({ type }) => type === "move").length;
    for (const line of clientStates(trace, this.#clients, this.#names)) printLine(`      ${line}`);
    for (const { table, removed, added } of changes) {
      for (const row of removed) printLine(`    - ${table} ${printable(row)}`);
      for (const row of added) printLine(`    + ${table} ${printable(row)}`);
    }
    if (this.#stopping) await this.#ask(directUrl);
    printLine("");
  }

  async #ask(directUrl: string): Promise<void> {
    for (;;) {
      print(`Return: next step; c: run to the end${this.#psql ? "; p: psql" : ""} > `);
      const { done, value } = await this.#input.next();
      print("\n");
      // At the end of the input, the execution runs to its end.
      if (done || value.trim() === "c") this.#stopping = false;
      if (value?.trim() !== "p" || !this.#psql) return;
      // Otherwise both this process and psql would read the keyboard.
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

/** The rows of one table that were added and removed, as JSON. */
interface TableChange {
  readonly table: string;
  readonly removed: readonly string[];
  readonly added: readonly string[];
}

/** The most rows of a table that are compared. */
const MOST_ROWS = 500;

const TABLES = `
  select format('%I.%I', n.nspname, c.relname) as name
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where c.relkind in ('r', 'p') and not c.relispartition and c.relpersistence <> 't'
     and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'heddle')
   order by 1`;

/** Reads the committed rows of all tables, on a connection of its own. */
class TableChanges {
  readonly #client: Client;
  readonly #tables: readonly string[];
  #rows = new Map<string, readonly string[]>();

  private constructor(client: Client, tables: readonly string[]) {
    this.#client = client;
    this.#tables = tables;
  }

  static async watch(directUrl: string): Promise<TableChanges> {
    const client = await openClient(directUrl);
    const { rows } = await client.query<{ name: string }>(TABLES);
    return new TableChanges(
      client,
      rows.map(({ name }) => name),
    );
  }

  /** The changes since the last call; the first call returns all rows. */
  async next(): Promise<readonly TableChange[]> {
    const changes: TableChange[] = [];
    for (const table of this.#tables) {
      const current = await this.#rowsOf(table);
      const previous = this.#rows.get(table) ?? [];
      const removed = previous.filter((row) => !current.includes(row));
      const added = current.filter((row) => !previous.includes(row));
      this.#rows.set(table, current);
      if (removed.length + added.length > 0) changes.push({ table, removed, added });
    }
    return changes;
  }

  async #rowsOf(table: string): Promise<readonly string[]> {
    const sql = `select to_jsonb(t) as row from ${table} t limit ${MOST_ROWS}`;
    const { rows } = await this.#client.query<{ row: JsonObject }>(sql);
    return rows.map(({ row }) => JSON.stringify(row));
  }

  async close(): Promise<void> {
    await this.#client.end();
  }
}
