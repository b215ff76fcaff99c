import type { ClientBase } from "pg";
import { installGateFunction } from "./gate-function.ts";

/** Where a row of a table is about to be written. The numbers are negative: no routine's place. */
export interface RowPlace {
  readonly place: number;
  /** As `regclass` names it. */
  readonly table: string;
}

/**
 * Of a table's BEFORE ROW triggers, Postgres fires this one last, in the order of their names: what
 * the application's own triggers check or change is then done, and the write is what comes next.
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
 * Pauses each INSERT, UPDATE and DELETE before each row that it writes: its snapshot is taken, and
 * its subqueries were evaluated. Returns the places by their numbers.
 *
 * The trigger changes what it watches, so a run with row gates has to say so. Where a table has a
 * BEFORE ROW trigger, Postgres
 * - locks the row of an UPDATE or DELETE before the trigger, not with the write: a rival waits
 *   for it during the pause;
 * - fires it for each row that INSERT … ON CONFLICT proposes, also one that then conflicts;
 * - writes the rows of COPY one by one.
 *
 * @param tables names, with their schemas where the search path does not lead to them; quoted where
 * SQL needs it. Ordinary and partitioned tables only. The client has to be of their owner.
 */
export async function installRowGates(
  client: ClientBase,
  tables: readonly string[],
): Promise<readonly RowPlace[]> {
  await installGateFunction(client);
  await client.query(ROW_FUNCTION);
  const places: RowPlace[] = [];
  for (const table of await named(client, tables)) {
    const place = -1 - places.length;
    await client.query(
      `create or replace trigger "${TRIGGER}" before insert or update or delete on ${table}
       for each row execute function heddle.row('${place}')`,
    );
    places.push({ place, table });
  }
  return places;
}

/** Takes the gates off these tables; of those that have none, nothing is taken. */
export async function removeRowGates(client: ClientBase, tables: readonly string[]): Promise<void> {
  for (const table of await named(client, tables)) {
    await client.query(`drop trigger if exists "${TRIGGER}" on ${table}`);
  }
}

async function named(client: ClientBase, tables: readonly string[]): Promise<readonly string[]> {
  const { rows } = await client.query<{ table: string }>(
    `select distinct name::regclass::text as table from unnest($1::text[]) as name order by 1`,
    [tables],
  );
  return rows.map(({ table }) => table);
}
