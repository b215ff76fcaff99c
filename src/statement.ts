import { DatabaseError, type Pool } from "pg";
import { isOutage, isTransient } from "./errors.ts";

const ignore = () => {};

/**
 * Runs one statement on a connection of the pool, as a transaction of its own. Unlike `pool.query`, it
 * keeps the connection after an error of the statement, so that a conflict costs no reconnect. A
 * connection that failed is dropped.
 */
export async function runStatement<Row extends object>(
  pool: Pool,
  sql: string,
  values: readonly unknown[],
): Promise<Row[]> {
  const client = await pool.connect();
  // Without a listener, the error of a lost connection would end the process. The query rejects too.
  client.on("error", ignore);
  let usable = true;
  try {
    return (await client.query<Row>(sql, [...values])).rows;
  } catch (error) {
    usable = error instanceof DatabaseError && !isOutage(error);
    throw error;
  } finally {
    client.release(!usable);
    client.off("error", ignore);
  }
}

/** The maximum number of attempts. */
export const ATTEMPTS = 5;

/**
 * Runs `transaction`, and again after a serialization failure or a deadlock. It does not wait in between,
 * since the other transaction has continued by then. Rejects with the last attempt's error.
 */
export async function retryTransient<T>(transaction: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await transaction();
    } catch (error) {
      if (attempt === ATTEMPTS || !isTransient(error)) throw error;
    }
  }
}
