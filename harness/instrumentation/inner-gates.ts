import type { GateLevel } from "../core/control.ts";
import type { Place } from "../core/trace.ts";
import { controlConnection } from "./control-connection.ts";
import { GateLocks } from "./gate-locks.ts";
import { installRoutineGates } from "./routine-gates.ts";
import { installRowGates } from "./row-gates.ts";

/** The gates inside the server, as they were installed in one database. */
export interface InnerGates {
  readonly locks: GateLocks;
  /** Where the gates are, by number. */
  readonly places: ReadonlyMap<number, Place>;
  /** Routines that run whole, and why. */
  readonly whole: readonly { readonly routine: string; readonly reason: string }[];
  /** The server was killed, and is there again. */
  reopen(): Promise<void>;
  close(): Promise<void>;
}

/** Ordinary and partitioned tables of the schema under test; partitions have their parents' gates. */
const TABLES = `
  select c.oid::regclass::text as table
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where c.relkind in ('r', 'p') and not c.relispartition and c.relpersistence <> 't'
     and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'heddle', 'migrations')
     and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')`;

/** Installs the gates of those levels in a migrated, disposable database. */
export async function installGates(
  directUrl: string,
  levels: readonly GateLevel[],
): Promise<InnerGates> {
  let client = await controlConnection(directUrl, "heddle gates");
  try {
    const places = new Map<number, Place>();
    const routines = levels.includes("routine") ? await installRoutineGates(client) : undefined;
    for (const { place, routine, line, text } of routines?.places ?? []) {
      places.set(place, { of: routine, line, next: text });
    }
    if (levels.includes("row")) {
      const { rows } = await client.query<{ table: string }>(TABLES);
      const tables = rows.map(({ table }) => table);
      for (const { place, table } of await installRowGates(client, tables)) {
        places.set(place, { of: table, line: null, next: "write a row" });
      }
    }
    const locks = new GateLocks(client);
    return {
      locks,
      places,
      whole: routines?.whole ?? [],
      async reopen() {
        client = await controlConnection(directUrl, "heddle gates");
        locks.use(client);
      },
      close: () => client.end(),
    };
  } catch (error) {
    await client.end();
    throw error;
  }
}
