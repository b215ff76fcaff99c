import { afterAll, beforeAll, expect, test } from "vitest";
import { withClient } from "../postgres/connection.ts";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { invariantOf } from "../service/invariant-definition.ts";
import { comparesTimes } from "./compared-times.ts";
import { toyService } from "./toy.fixture.ts";

let server: Server;
let url: string;

beforeAll(async () => {
  server = await startServer(testPostgres);
  ({ url } = await server.lease());
  await withClient(url, (client) =>
    client.query(`
      create table orders (id int, total int, paid timestamptz, "Made" bigint default extract(epoch from now()),
        "sent at" timestamptz);
      create view late as select id from orders where paid > now();
      create function is_late(int) returns boolean language sql as 'select true'`),
  );
});

afterAll(() => server?.stop());

test.each([
  ["select from orders where total < 0", false],
  ["select * from orders where total < 0", false],
  ["select from orders o where o.PAID < now()", true],
  ['select from orders order by "Made"', true],
  ['select from orders where "sent at" < now()', true],
  ["select from orders natural join orders as others", true],
  ["select from late", true],
  ["select from orders where is_late(id)", true],
  [() => [], true],
] as const)("a service whose rule is %s compares times: %s", async (definition, compares) => {
  const service = { ...toyService(), invariants: [invariantOf(["rule", definition])] };
  expect(await comparesTimes(url, service)).toBe(compares);
});

test("serial equivalence compares no times, and what a model compares is not known", async () => {
  const { model: _, ...service } = { ...toyService(), invariants: [] };
  expect(await comparesTimes(url, service)).toBe(false);
  const model = {} as NonNullable<ReturnType<typeof toyService>["model"]>;
  expect(await comparesTimes(url, { ...service, model })).toBe(true);
  const queries = [{ name: "rule", sql: "select from orders where paid is null" }];
  expect(await comparesTimes(url, { ...service, queries })).toBe(true);
});
