import { Client } from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Control } from "../core/control.ts";
import type { Execution } from "../core/execution.ts";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { Exhaustive } from "../scheduler/exhaustive.ts";
import { ReplayScheduler } from "../scheduler/replay.ts";
import { Executor } from "./executor.ts";
import {
  LIMITS,
  STATEMENT_SERVICE,
  type Statements,
  scenario,
  statements,
} from "./statements.fixture.ts";

/** Reads a value and writes it plus one, in two statements of the routine. */
const READ_THEN_WRITE = `
  create function increment(which int) returns int language plpgsql as $$
  declare was int;
  begin
    select value into was from counter where id = which;
    update counter set value = was + 1 where id = which;
    return was;
  end $$`;

/** Without the key, only the condition of the statement prevents a second row with the id. */
const WITHOUT_KEY = "alter table counter drop constraint counter_pkey";
const INSERT_ONCE =
  "insert into counter select 7, 0 where not exists (select from counter where id = 7)";

let server: Server;
const opened: Executor<null, Statements>[] = [];

beforeAll(async () => {
  server = await startServer(testPostgres);
});

afterEach(async () => {
  for (const executor of opened.splice(0)) await executor.close();
});

afterAll(() => server?.stop());

async function open(sql: string, control: Partial<Control>) {
  const migrate = async (url: string) => {
    await STATEMENT_SERVICE.migrate(url);
    const client = new Client({ connectionString: url });
    await client.connect();
    await client.query(sql);
    await client.end();
  };
  const limits = { ...LIMITS, control: { ...LIMITS.control, ...control } };
  const executor = await Executor.open(server, { ...STATEMENT_SERVICE, migrate }, limits);
  opened.push(executor);
  return executor;
}

async function explore(
  executor: Executor<null, Statements>,
  scene: ReturnType<typeof scenario>,
  bound = Number.POSITIVE_INFINITY,
): Promise<Execution<null, Statements>[]> {
  const search = new Exhaustive(bound);
  const seen: Execution<null, Statements>[] = [];
  while (search.begin()) seen.push(await executor.execute(scene, search));
  expect(search.diverged).toBeUndefined();
  return seen;
}

const values = ({ snapshot }: Execution) => snapshot["counter"]?.map((row) => row["value"]);
const places = ({ trace }: Execution) =>
  trace.flatMap((event) => (event.type === "gate" ? [event.place] : []));

const twice = scenario([statements("select increment(1)")], [statements("select increment(1)")]);

describe("gates inside routines", () => {
  test("reveal the race between two statements of a function", async () => {
    const whole = await explore(await open(READ_THEN_WRITE, {}), twice);
    expect(whole.map(values)).toEqual(whole.map(() => [2, 0]));
    expect(whole.flatMap(places)).toEqual([]);

    const executor = await open(READ_THEN_WRITE, { gates: ["statement", "routine"] });
    const gated = await explore(executor, twice);
    const lost = gated.filter((execution) => values(execution)?.[0] === 1);
    expect(lost.length).toBeGreaterThan(0);
    // Each client has a start, the call and two gates, and waits at its write at the earliest.
    expect(gated.length).toBeGreaterThanOrEqual(70 - 20);
    expect(new Set(lost.flatMap(places).map(({ line }) => line))).toEqual(new Set([4, 5]));

    const [first] = lost;
    if (first === undefined) throw new Error("there is no lost update");
    for (let i = 0; i < 20; i++) {
      const replay = new ReplayScheduler(first.schedule);
      const again = await executor.execute(first.scenario, replay);
      expect(replay.diverged()).toBeUndefined();
      expect(again).toEqual(first);
    }
  });

  test("leave nothing behind for a later execution", async () => {
    const executor = await open(READ_THEN_WRITE, { gates: ["statement", "routine"] });
    const broken = scenario([statements("begin", "select increment(1)", "select 1 / 0")]);
    await explore(executor, broken);
    const [after] = await explore(executor, twice, 0);
    expect(after && values(after)).toEqual([2, 0]);
  });
});

describe("gates before rows", () => {
  const both = scenario([statements(INSERT_ONCE)], [statements(INSERT_ONCE)]);
  const duplicates = ({ snapshot }: Execution) => snapshot["counter"]?.length === 4;

  test("reveal the race inside one statement", async () => {
    const plain = await explore(await open(WITHOUT_KEY, {}), both);
    expect(plain.filter(duplicates)).toEqual([]);

    const executor = await open(WITHOUT_KEY, { gates: ["statement", "row"] });
    const gated = await explore(executor, both);
    expect(gated.filter(duplicates).length).toBeGreaterThan(0);
    expect(new Set(gated.flatMap(places).map(({ of }) => of))).toEqual(new Set(["counter"]));
  });
});

describe("the isolation level", () => {
  test("applies to every transaction without a change of the service", async () => {
    const show = scenario([statements("show transaction_isolation")]);
    for (const isolation of ["read committed", "repeatable read", "serializable"] as const) {
      const [execution] = await explore(await open("select 1", { isolation }), show);
      const answer = execution?.trace.find((event) => event.type === "return");
      expect(answer).toMatchObject({ response: { body: [isolation] } });
    }
  });

  test("decides whether an update is lost", async () => {
    const executor = await open(READ_THEN_WRITE, {
      gates: ["statement", "routine"],
      isolation: "repeatable read",
    });
    const seen = await explore(executor, twice);
    const refused = seen.filter(({ trace }) =>
      trace.some((event) => event.type === "return" && event.response.code === "40001"),
    );
    expect(refused.length).toBeGreaterThan(0);
    for (const execution of seen) {
      expect(values(execution)?.[0]).toBe(refused.includes(execution) ? 1 : 2);
    }
  });
});
