import { DatabaseError, type Pool } from "pg";
import { isOutage, isTransient } from "./errors.ts";

const ignore = () => {};

/**
 * Runs one statement on a connection of the pool, as a transaction of its own. Unlike `pool.query`
 * it keeps the connection when the server merely refused: a conflict must not cost a reconnect.
 * A connection that failed is dropped, and never brings the process down.
 */
export async function runStatement<Row extends object>(
  pool: Pool,
  sql: string,
  values: readonly unknown[],
): Promise<Row[]> {
  const client = await pool.connect();
  // While a connection is lent, nobody else listens; the query itself rejects.
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

/** How often a transaction is tried in all. */
export const ATTEMPTS = 5;

/**
 * Runs `transaction` again, from its beginning, while Postgres undoes it because of another one
 * (serialization failure, deadlock). At once: whatever it collided with has gone on by then, so
 * there is nothing to wait for. The last failure is the caller's.
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
