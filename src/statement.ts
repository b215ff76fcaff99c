import { DatabaseError, type Pool } from "pg";
import { isOutage } from "./errors.ts";

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
