import { defineService } from "../../harness/service/service-definition.ts";
import { fromFunctions } from "../../harness/service/sources/from-functions.ts";

/*
 * A generated service with fifty operations: ten kinds of things, each a part of one of the kind before, with
 * five functions each. Every third kind has a stale amount, which two operations that change it lose.
 */

const KINDS = [
  "shop",
  "shelf",
  "crate",
  "parcel",
  "ticket",
  "ledger",
  "grant",
  "lease",
  "audit",
  "badge",
];

const isStale = (_: string, at: number) => at % 3 === 0;

/** The pairs of operations that race. */
export const PLANTED: readonly string[] = KINDS.filter(isStale).flatMap((name) => [
  `raise_${name} × raise_${name}`,
  `raise_${name} × take_${name}`,
]);

function kind(name: string, at: number): string {
  const parent = KINDS[at - 1];
  const table = `${name}s`;
  const stale = isStale(name, at);
  const column = parent === undefined ? "" : `${parent}_id int not null references ${parent}s,`;
  const given = parent === undefined ? "" : `${parent}_id int, `;
  const [names, values] =
    parent === undefined ? ["", ""] : [`${parent}_id, `, `add_${name}.${parent}_id, `];
  return `
    create table ${table} (
      id int generated always as identity primary key, ${column}
      amount int not null check (amount >= 0),
      state text not null default 'open'
    );
    create function add_${name}(${given}amount int) returns int language sql as $$
      insert into ${table} (${names}amount) values (${values}add_${name}.amount) returning id
    $$;
    create function read_${name}(${name}_id int) returns int language sql stable as $$
      select amount from ${table} where id = ${name}_id
    $$;
    create function raise_${name}(${name}_id int) returns int language plpgsql as $$
    declare now int;
    begin
      ${
        stale
          ? `select ${table}.amount into now from ${table} where id = ${name}_id;
             update ${table} set amount = now + 1 where id = ${name}_id;`
          : `update ${table} set amount = amount + 1 where id = ${name}_id returning amount into now;`
      }
      return now;
    end $$;
    create function take_${name}(${name}_id int, amount int) returns int language plpgsql as $$
    declare left_over int;
    begin
      update ${table} t set amount = t.amount - take_${name}.amount
       where id = ${name}_id and t.amount >= take_${name}.amount returning t.amount into left_over;
      if left_over is null then raise exception 'too little' using errcode = 'P0001'; end if;
      return left_over;
    end $$;
    create function close_${name}(${name}_id int) returns boolean language plpgsql as $$
    begin
      update ${table} set state = 'closed' where id = ${name}_id and state = 'open';
      if not found then raise exception 'not open' using errcode = 'P0001'; end if;
      return true;
    end $$;
    ${parent === undefined ? `insert into ${table} (amount) values (5), (5);` : ""}`;
}

export default defineService({
  setup: KINDS.map(kind).join("\n"),
  restore: "delete",
  operations: fromFunctions("public"),
});
