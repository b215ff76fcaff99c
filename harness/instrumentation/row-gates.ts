import type { ClientBase } from "pg";
import { installGateFunction } from "./gate-function.ts";
import { type GateKind, tablesUnderTest } from "./gate-kind.ts";

/** What a statement does after a row gate. */
export const BEFORE_ROW = "write a row";

/** Gates before each row that a statement writes. */
export const rowGates: GateKind = {
  name: "row",
  install: async (client, first) => {
    const gates = await installRowGates(client, { first });
    return {
      places: gates.map(({ table }) => ({ of: table, line: null, next: BEFORE_ROW })),
      wire: { written: { place: first, last: first + gates.length - 1 } },
    };
  },
  remove: removeRowGates,
};

/** The gate of a table, before each of its rows that is written. */
export interface RowGate {
  /** The gate's number. */
  readonly place: number;
  /** As `regclass` prints it. */
  readonly table: string;
}

/**
 * PostgreSQL fires the triggers of one kind in alphabetical order of their names
 * (https://www.postgresql.org/docs/current/sql-createtrigger.html). This name sorts last: the
 * application's BEFORE ROW triggers have run before the gate, and the write comes right after it.
 */
const TRIGGER = "~~heddle_row_gate";

const ROW_FUNCTION = `
create or replace function heddle.row() returns trigger language plpgsql
as $$
begin
  if heddle.gate(tg_argv[0]::pg_catalog.int4) then end if;
  if tg_op operator(pg_catalog.=) 'DELETE' then return old; end if;
  return new;
end
$$`;

/**
 * Stops each INSERT, UPDATE and DELETE before each row that it writes, after it took its snapshot
 * and evaluated its subqueries.
 *
 * A report of a run with row gates must say that they are triggers, because a table with a BEFORE
 * ROW trigger behaves differently in PostgreSQL
 * (https://www.postgresql.org/docs/current/trigger-definition.html):
 * - An UPDATE or DELETE locks its row before the trigger rather than with the write, so another
 *   session may wait for the row during the pause.
 * - INSERT … ON CONFLICT fires the trigger for each proposed row, even if the row then conflicts.
 * - COPY writes its rows one by one.
 *
 * @param first number of the first gate; default 1
 * @param tables ordinary and partitioned tables that the client owns, as `regclass`
 * reads them; all of the schema under test by default.
 */
export async function installRowGates(
  client: ClientBase,
  { first = 1, tables }: { readonly first?: number; readonly tables?: readonly string[] } = {},
): Promise<readonly RowGate[]> {
  await installGateFunction(client);
  await client.query(ROW_FUNCTION);
  const gates = (await tablesNamed(client, tables)).map((table, index) => ({
    place: first + index,
    table,
  }));
  for (const { place, table } of gates) {
    await client.query(
      `create or replace trigger "${TRIGGER}" before insert or update or delete on ${table}
       for each row execute function heddle.row('${place}')`,
    );
  }
  return gates;
}

/** Removes the gates of these tables, or of all tables of the schema under test. */
export async function removeRowGates(
  client: ClientBase,
  tables?: readonly string[],
): Promise<void> {
  for (const table of await tablesNamed(client, tables)) {
    await client.query(`drop trigger if exists "${TRIGGER}" on ${table}`);
  }
}

/** Each table once, as `regclass` prints it, in the order of the names. */
async function tablesNamed(
  client: ClientBase,
  tables: readonly string[] | undefined,
): Promise<readonly string[]> {
  // A row trigger of a partitioned table is one of its partitions too.
  if (tables === undefined) return tablesUnderTest(client, { partitions: false });
  const { rows } = await client.query<{ table: string }>(
    `select distinct name::regclass::text as table from unnest($1::text[]) as name order by 1`,
    [tables],
  );
  return rows.map(({ table }) => table);
}
