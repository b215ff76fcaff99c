import { DatabaseError } from "pg";
import { withClient } from "../postgres/connection.ts";

/** Executes a script. An error has the line of the script in which it is. */
export async function executeSql(sql: string, url: string): Promise<void> {
  try {
    await withClient(url, (client) => client.query(sql));
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.position === undefined) throw error;
    // The position counts characters from 1.
    const line = sql.slice(0, Number(error.position) - 1).split("\n").length;
    throw new Error(`${error.message}, in line ${line}`, { cause: error });
  }
}
