import { Client } from "pg";
import type { JsonObject } from "../core/json.ts";

/** Rows that came and rows that went, as JSON, by table. */
export interface TableChange {
  readonly table: string;
  readonly gone: readonly string[];
  readonly come: readonly string[];
}

/** More rows than these of one table nobody compares by eye. */
const MOST_ROWS = 500;

const TABLES = `
  select format('%I.%I', n.nspname, c.relname) as name
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where c.relkind in ('r', 'p') and not c.relispartition and c.relpersistence <> 't'
     and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'heddle')
   order by 1`;

/** Watches what is committed, from outside of all that is under way. */
export class TableChanges {
  readonly #client: Client;
  readonly #tables: readonly string[];
  #rows = new Map<string, readonly string[]>();

  private constructor(client: Client, tables: readonly string[]) {
    this.#client = client;
    this.#tables = tables;
  }

  static async watch(directUrl: string): Promise<TableChanges> {
    const client = new Client({ connectionString: directUrl });
    client.on("error", () => {});
    await client.connect();
    const { rows } = await client.query<{ name: string }>(TABLES);
    return new TableChanges(
      client,
      rows.map(({ name }) => name),
    );
  }

  /** What was committed since it was asked last. At first: all that there is. */
  async since(): Promise<readonly TableChange[]> {
    const changes: TableChange[] = [];
    for (const table of this.#tables) {
      const now = await this.#rowsOf(table);
      const before = this.#rows.get(table) ?? [];
      const gone = before.filter((row) => !now.includes(row));
      const come = now.filter((row) => !before.includes(row));
      this.#rows.set(table, now);
      if (gone.length + come.length > 0) changes.push({ table, gone, come });
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
