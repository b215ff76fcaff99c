import fc from "fast-check";
import type { FastifyInstance, InjectOptions, RouteOptions } from "fastify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseActor, tokensWith } from "./authentication.ts";
import { claim, pay, testDatabase } from "./database.fixture.ts";
import { buildServer } from "./server.ts";
import { postgresStore } from "./store.ts";

const RUNS = 2_000;

const database = testDatabase();
const tokens = tokensWith("a key for the fuzzing of the service");
const routes: RouteOptions[] = [];
let server: FastifyInstance;
let senders: (string | undefined)[];

beforeAll(async () => {
  server = buildServer({ store: postgresStore(database.pool), tokens });
  server.addHook("onRoute", (route) => void routes.push(route));
  await server.ready();
  const actors = ["customer:stranger", "customer:'; --", "vendor:99", "system:gateway"];
  senders = [undefined, "garbage", "a.b.c"];
  for (const text of actors) {
    const actor = parseActor(text);
    if (actor !== undefined) senders.push(await tokens.issue(actor));
  }
});
afterAll(() => server?.close());

/** Hostile and malformed texts. None is the id of a row. */
const hostile: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    "'; drop table bookings; --",
    "1; update bookings set status = 'cancelled'",
    "1' or '1'='1",
    "$1",
    "\\'; select pg_sleep(10); --",
    "\u0000",
    "a\u0000b",
    "\ud800",
    "\u202e\ufeff",
    "x".repeat(20_000),
    "9".repeat(400),
    "9223372036854775808",
    "9223372036854775807",
    "-1",
    "0x10",
    "1e3",
    "../../etc/passwd",
    "<script>alert(1)</script>",
    "infinity",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:60Z",
    "2030-01-01T10:00:00+23:59",
    "__proto__",
    "",
    " ",
    null,
    true,
    [],
    {},
    -0,
    0.1,
    1e308,
    Number.MAX_SAFE_INTEGER,
  ),
  fc.string({ unit: "binary", maxLength: 50 }),
  fc.jsonValue({ maxDepth: 3 }).filter((value) => typeof value !== "number"),
);

interface Field {
  readonly type?: string;
  readonly format?: string;
  readonly enum?: readonly string[];
}

/** An id that no row has. */
const NO_ID = "9223372036854775807";

/** Values that pass the schema, without a meaning. */
function rightFor(field: Field): string | undefined {
  if (field.enum !== undefined) return field.enum[0];
  if (field.format === "date-time") return "2030-01-01T10:00:00Z";
  return field.type === "string" && field.format === undefined ? "stranger" : NO_ID;
}

/** Bodies for a JSON schema: fields missing, additional, hostile or valid. */
function fieldsOf(schema: unknown): fc.Arbitrary<unknown> {
  const { properties = {} } = (schema ?? {}) as { properties?: { [name: string]: Field } };
  const fields = Object.entries(properties).map(
    ([name, field]) => [name, fc.oneof(fc.constant(rightFor(field)), hostile)] as const,
  );
  const all = fc.record(Object.fromEntries(fields));
  const some = fc.oneof(all, fc.record(Object.fromEntries(fields), { requiredKeys: [] }));
  const extra = fc.dictionary(fc.constantFrom("status", "__proto__", "id", "x"), hostile, {
    maxKeys: 2,
  });
  const together = fc.tuple(some, extra).map(([some, extra]) => ({ ...some, ...extra }));
  return fc.oneof(all, together, hostile);
}

/** Paths with a hostile text in the place of each parameter. */
function pathOf({ url }: RouteOptions): fc.Arbitrary<string> {
  const encoded = hostile.map((value) => {
    const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
    return encodeURIComponent(text.replace(/\p{Surrogate}/gu, "")).slice(0, 2_000);
  });
  const raw = fc.constantFrom("%", "%E0%A4%A", "%00", "%ff%fe", "..%2f", "a%20b?x=1&x=2");
  const parameter = fc.oneof(fc.constant(NO_ID), encoded, raw);
  const parts = url.split(/:\w+/);
  return fc
    .array(parameter, { minLength: parts.length - 1, maxLength: parts.length - 1 })
    .map((values) => parts.map((part, i) => part + (values[i] ?? "")).join(""));
}

const CONTENT_TYPES = [
  ...Array<string>(6).fill("application/json"),
  "application/json; charset=utf-16",
  "text/plain",
  "application/x-www-form-urlencoded",
  "multipart/form-data; boundary=x",
  "nonsense",
  "",
];

function requestsTo(route: RouteOptions): fc.Arbitrary<InjectOptions> {
  const { body } = (route.schema ?? {}) as { body?: unknown };
  const json = fieldsOf(body).map((value) => JSON.stringify(value) ?? "");
  const bytes = fc.uint8Array({ maxLength: 100 }).map((data) => Buffer.from(data));
  const broken = json.map((text) => text.slice(0, -1));
  const latin1 = json.map((text) => Buffer.from(`${text.slice(0, -1)},"x":"é"}`, "latin1"));
  const payload = fc.oneof<fc.Arbitrary<string | Buffer>[]>(
    json,
    json,
    json,
    bytes,
    broken,
    latin1,
  );
  const method = [route.method].flat()[0] as "GET" | "POST";
  return fc
    .record({
      url: pathOf(route),
      payload,
      type: fc.constantFrom(...CONTENT_TYPES),
      sender: fc.constantFrom(...senders),
    })
    .map(({ url, payload, type, sender }) => ({
      method,
      url,
      ...(method === "POST" && { payload }),
      headers: {
        ...(method === "POST" && { "content-type": type }),
        ...(sender !== undefined && { authorization: `Bearer ${sender}` }),
      },
    }));
}

async function rows(): Promise<unknown> {
  const tables = ["providers", "availability_slots", "bookings", "payments"];
  const all = tables.map((table) => `(select jsonb_agg(t order by t::text) from ${table} t)`);
  return (await database.pool.query(`select ${all.join(", ")}`)).rows;
}

test("no input of any route causes a 5xx, changes a row or reveals internals", async () => {
  await database.slot(0);
  const { id } = await claim(database.pool, { slot: await database.slot(1) });
  await pay(database.pool, id);
  await claim(database.pool, { slot: await database.slot(2), customer: "d" });
  const before = await rows();
  const any = routes.filter(({ method, url }) => method !== "HEAD" && !url.startsWith("/assets"));
  const statuses = new Set<number>();

  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...any).chain(requestsTo), async (request) => {
      const { statusCode, body } = await server.inject(request);
      statuses.add(statusCode);
      expect(statusCode).toBeLessThan(500);
      expect(body).not.toMatch(/node_modules|\.ts:\d+|at async|pg_catalog/);
    }),
    { numRuns: RUNS, seed: 1 },
  );

  expect(await rows()).toEqual(before);
  expect(any.length).toBeGreaterThan(9);
  // Some inputs passed validation.
  expect([...statuses]).toEqual(expect.arrayContaining([200, 400, 401, 403, 404, 413, 415]));
});
