import type { ClientBase } from "pg";
import type { GateKind } from "./gate-kind.ts";

/**
 * A gate at the end of each statement that changes the schema, before its commit: an event trigger at
 * `ddl_command_end`. The statement has written its rows of the catalog and holds its locks, so that
 * another session which creates the same object waits or fails as it does without control. A statement
 * that concerns temporary objects alone is not held, and there are no event triggers for databases,
 * roles and tablespaces (https://www.postgresql.org/docs/current/event-trigger-matrix.html).
 *
 * Only a superuser may create event triggers. For any other role the kind installs no gate, and a
 * sentence of the report says so.
 */
export const definitionGates: GateKind = {
  name: "definition",
  install: async (client, first) => {
    const { rows } = await client.query<{ superuser: boolean }>(
      "select rolsuper as superuser from pg_roles where rolname = current_user",
    );
    if (rows[0]?.superuser !== true) return { places: [], uncontrolled: [NOT_ALLOWED] };
    await client.query(DEFINITION_GATE(first));
    return { places: [{ of: "the changed schema", line: null, next: "commit, or go on" }] };
  },
  remove: async (client: ClientBase) => {
    await client.query(`drop event trigger if exists heddle_definition_gate;
      drop function if exists heddle.defined`);
  },
};

const NOT_ALLOWED =
  "Changes of the schema run in one step with their commit: only a superuser may create event triggers.";

const DEFINITION_GATE = (place: number) => `
drop event trigger if exists heddle_definition_gate;
create or replace function heddle.defined() returns event_trigger language plpgsql
as $$
begin
  if (select pg_catalog.bool_and(schema_name is not distinct from 'pg_temp')
        from pg_catalog.pg_event_trigger_ddl_commands()) then
    return;
  end if;
  if heddle.gate(${place}) then end if;
end
$$;
create event trigger heddle_definition_gate on ddl_command_end execute function heddle.defined()`;
