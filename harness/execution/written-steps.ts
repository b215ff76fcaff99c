import type { PendingStatement } from "../proxy/pending-statement.ts";
import type { LockWaits, TransactionNumbers } from "./lock-waits.ts";

/**
 * Tells whether a step has written although its answer does not show it: a SELECT may call a function that
 * writes, and return the same row each time. A transaction that writes gets a number. For a step outside a
 * transaction block, any number that was assigned on the server meanwhile counts as its own; so the server is
 * asked only about statements that may change rows.
 */
export class WrittenSteps {
  readonly #server: Pick<LockWaits, "transactionNumbers">;
  readonly #mayChange: (sql: string) => Promise<boolean>;
  #step: { readonly pid: number; readonly before: TransactionNumbers } | undefined;

  constructor(
    server: Pick<LockWaits, "transactionNumbers">,
    mayChange: (sql: string) => Promise<boolean>,
  ) {
    this.#server = server;
    this.#mayChange = mayChange;
  }

  /** Notes that the statement is about to take a step. */
  async begin({ session: { pid }, statement }: PendingStatement): Promise<void> {
    if (!(await this.#mayChange(statement.sql))) return;
    this.#step = { pid, before: await this.#server.transactionNumbers(pid) };
  }

  /** Whether `begin` was called since the last `end`, for a statement that may change rows. */
  get hasBegun(): boolean {
    return this.#step !== undefined;
  }

  /** Whether the step that began last has written; false if none has begun since the last call. */
  async end(): Promise<boolean> {
    const step = this.#step;
    if (step === undefined) return false;
    this.#step = undefined;
    const { ofBackend, snapshot } = await this.#server.transactionNumbers(step.pid);
    return ofBackend !== null || snapshot !== step.before.snapshot;
  }
}
