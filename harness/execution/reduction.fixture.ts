import { Client, Pool } from "pg";
import { type Execution, historyOf } from "../core/execution.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Scenario } from "../core/scenario.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";
import type { Executor } from "./executor.ts";
import type { System, SystemContext, SystemFactory } from "./system.ts";

/** Statements on one connection; `close` changes it for another one. An error leads to a rollback. */
export type Work = Operation & { readonly name: "work"; readonly sql: readonly string[] };

const SCHEMA = `
create table a (id int primary key, v int not null);
create table b (id int primary key, v int not null);
create table parent (id int primary key, v int);
create table child (id int primary key, parent_id int references parent);
create table late (id int primary key, parent_id int references parent deferrable initially deferred);
create table owned (id int primary key, parent_id int references parent on delete cascade, v int);
create table span (id int primary key, during int4range, exclude using gist (during with &&));
create table numbered (id bigint generated always as identity, who text);
create table logged (id int primary key, v int);
create table log (v int);
create table guarded (id int primary key, v int);
create table vowed (id int primary key, v int);
create table filled (id int primary key, v int);
create table opened (at timestamptz not null default now());
create table closed (at timestamptz not null default now());
create table paid (at timestamptz not null default now());
create table sealed (id int primary key);
create sequence counter;
create view total as select sum(v) as v from a;

create function note() returns trigger language plpgsql as $$
begin
  insert into log values (new.v);
  return new;
end $$;
create trigger note after update on logged for each row execute function note();

create function check_b() returns trigger language plpgsql as $$
begin
  if exists (select from b where id = 1 and v > 0) then raise exception 'taken'; end if;
  return new;
end $$;
create trigger check_b before insert on guarded for each row execute function check_b();

create constraint trigger check_b after insert on vowed deferrable initially deferred
  for each row execute function check_b();

create function seal() returns trigger language plpgsql as $$
begin
  insert into closed values (clock_timestamp());
  return new;
end $$;
create constraint trigger seal after insert on sealed deferrable initially deferred
  for each row execute function seal();

create function open_and_close() returns void language plpgsql as $$
begin
  insert into opened values (clock_timestamp());
  insert into closed values (clock_timestamp());
end $$;

create function v_of_b() returns int stable language sql as 'select v from b where id = 1';
alter table filled alter v set default v_of_b();

create function largest(p int default v_of_b()) returns int language sql
  as 'select greatest(max(v), p) from a';

create function sum_of_b(p a) returns bigint language sql as 'select sum(v) + p.v from b';

create function bump(p int) returns int language plpgsql as $$
declare x int;
begin
  select v into x from a where id = p;
  update a set v = x + 1 where id = p;
  return x;
end $$;

create function bump_b(p int) returns int language plpgsql as $$
declare x int;
begin
  select v into x from b where id = p for update;
  update b set v = x + 1 where id = p;
  return x;
end $$;

create function twice(p int) returns int language plpgsql as $$
begin
  perform bump(p);
  return bump_b(p);
end $$;

create function put(p int) returns text language plpgsql as $$
begin
  begin
    update b set v = v + 1 where id = 1;
    insert into a values (p, 7);
    return 'inserted';
  exception when unique_violation then
    update a set v = v + 1 where id = p;
    return 'updated';
  end;
end $$;

create function sum_up() returns int language plpgsql as $$
declare r record; s int := 0;
begin
  for r in select id, v from a order by id loop
    s := s + r.v;
    update b set v = s where id = r.id;
  end loop;
  return s;
end $$;

create function one_then_other(p int, q int) returns void language plpgsql as $$
begin
  update a set v = v + 1 where id = p;
  update a set v = v + 1 where id = q;
end $$;

create function late_write() returns bigint language plpgsql as $$
declare s bigint;
begin
  select sum(v) into s from a;
  update b set v = 5 where id = 1;
  return s;
end $$;

create procedure move_one() language plpgsql as $$
begin
  update a set v = v - 1 where id = 1;
  update b set v = v + 1 where id = 1;
end $$;

create function lock_two(p int, q int) returns int stable language plpgsql as $$
begin
  perform pg_advisory_xact_lock(p);
  perform pg_advisory_xact_lock(q);
  return (select v from b where id = 1);
end $$;

create function add_sql(p int) returns void language sql
  as 'update a set v = v + 1 where id = p; update b set v = v + 1 where id = p';`;

const TABLES = [
  ...["a", "b", "parent", "child", "late", "owned", "span", "numbered", "logged", "log"],
  ...["guarded", "vowed", "filled"],
];

/** Their rows are times: what is observed of them is their order. */
const TIMES = ["opened", "closed", "paid"];

const RESET = `
${[...TABLES, ...TIMES, "sealed"]
  .map((table) => `delete from ${table};`)
  .reverse()
  .join("\n")}
insert into a values (1, 0), (2, 0);
insert into b values (1, 0), (2, 0);
insert into parent values (1, 0), (2, 0);
insert into owned values (1, 1, 0);
insert into logged values (1, 0);
alter sequence counter restart;
alter sequence numbered_id_seq restart;`;

const OBSERVE = `
${TABLES.map((table) => `select '${table}' as name, to_jsonb(x) as row from ${table} as x`).join(" union all\n")}
union all
select 'times', to_jsonb(array_agg(name order by at))
  from (${TIMES.map((table) => `select '${table}' as name, at from ${table}`).join(" union all ")}) as times
order by 1, 2`;

export const WORKS: SystemFactory<null, Work> = { migrate, start };

async function migrate(url: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(SCHEMA);
  } finally {
    await client.end();
  }
}

async function start({
  gatedUrl,
  gatedStream,
  directUrl,
}: SystemContext): Promise<System<null, Work>> {
  const stream = gatedStream && { stream: gatedStream };
  // One for each client: which of them gets a connection that another one has used is tested elsewhere.
  const pools = Array.from({ length: 3 }, () => {
    const pool = new Pool({ connectionString: gatedUrl, ...stream, max: 1 });
    pool.on("error", () => {});
    return pool.on("connect", (client) => client.on("error", () => {}));
  });
  const direct = new Pool({ connectionString: directUrl, max: 1 });
  direct.on("error", () => {});
  return {
    reset: async () => {
      await direct.query(RESET);
    },
    perform: async ({ sql }, number) => {
      const pool = pools[number];
      if (pool === undefined) throw new Error(`there is no client ${number}`);
      let client = await pool.connect();
      const seen: Json[] = [];
      try {
        for (const text of sql) {
          if (text === "close") {
            client.release(true);
            client = await pool.connect();
          } else {
            const results = [await client.query(text)].flat();
            seen.push(...results.map(({ rows }) => rows as Json));
          }
        }
        return { outcome: "ok", code: "OK", body: seen };
      } catch (error) {
        const code = error instanceof Error && "code" in error ? String(error.code) : "?";
        await client.query("rollback");
        return { outcome: "fail", code, body: seen };
      } finally {
        client.release();
      }
    },
    observe: async () => {
      const { rows } = await direct.query(OBSERVE);
      return { rows };
    },
    stop: async () => {
      await Promise.all([...pools, direct].map((pool) => pool.end()));
    },
  };
}

/** Each client sends one list of statements on its own connection. */
function scenarioOf(clients: readonly (readonly string[])[]): Scenario<null, Work> {
  return { initial: null, clients: clients.map((sql) => [{ name: "work", sql }]) };
}

/**
 * What two executions are compared by: the responses, the final state, and the real-time order of
 * operations.
 */
function outcomeOf(execution: Execution): string {
  const { trace, completion, snapshot } = execution;
  const returned = historyOf(trace).flatMap((event) =>
    event.type === "return" ? { client: event.client, response: event.response } : [],
  );
  returned.sort((a, b) => a.client - b.client);
  const realTime = realTimeOf(execution);
  return JSON.stringify({ returned, ending: completion.type, snapshot, realTime });
}

function realTimeOf({ trace }: Execution): string {
  const answered: number[] = [];
  const orders = historyOf(trace).flatMap(({ type, client }) => {
    if (type === "invoke") return answered.map((earlier) => `${earlier} before ${client}`);
    answered.push(client);
    return [];
  });
  return orders.sort().join(", ");
}

interface Search extends Scheduler {
  readonly complete: boolean;
  readonly diverged: string | undefined;
  /** The number of executions that turned out to be equivalent to others. */
  readonly redundant?: number;
  /** The number of executions by preemptions, since the search began anew. */
  readonly explored?: readonly number[];
}

interface Explored {
  readonly executions: number;
  /** The distinct outcomes, sorted; without those of executions that the search calls redundant. */
  readonly outcomes: readonly string[];
}

/** Executes every schedule that the search tries. */
export async function explored(
  executor: Executor<null, Work>,
  clients: readonly (readonly string[])[],
  search: Search,
): Promise<Explored> {
  const scenario = scenarioOf(clients);
  executor.discoveries.forget();
  const outcomes = new Set<string>();
  const redundant = () => search.redundant ?? 0;
  let executions = 0;
  for (let before = 0; search.begin(scenario); executions++, before = redundant()) {
    const execution = await executor.execute(scenario, search);
    if (redundant() === before) outcomes.add(outcomeOf(execution));
  }
  if (!search.complete) throw new Error(search.diverged);
  // Without those before a search began anew.
  const ofAll = search.explored?.reduce((sum, count) => sum + count, 0) ?? executions;
  return { executions: ofAll, outcomes: [...outcomes].sort() };
}
