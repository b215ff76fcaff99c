import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { TestFolder } from "../heddle.fixture.ts";
import { definitionText } from "./definition-text.ts";
import { scanProject } from "./project-scan.ts";

let folder = "";

beforeEach(async () => {
  folder = await mkdtemp("/tmp/hi-");
});
afterEach(() => rm(folder, { recursive: true }));

async function project(files: { readonly [path: string]: string }) {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  const found = await scanProject(folder);
  return { found, text: found === undefined ? "" : definitionText(found) };
}

const MIGRATION = `
  create table items (id serial primary key, name varchar(20), stock int not null check (stock >= 0));
  create table order_lines (
    id uuid primary key default gen_random_uuid(), -- a comment, with a comma
    item_id int not null references items (id), urgent boolean, due timestamptz
  );
  insert into items (name, stock) values ('lamp', 1);`;

const SERVER = `
  import express from "express";
  const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL });
  const app = express();
  app.get("/items/:id", async (req, res) => {
    const { rows } = await pool.query("select 1");
  });
  app.post("/items/:id/lines", async (req, res) => {
    const { itemId, quantity, due } = req.body;
    if (req.body.urgent) return;
  });
  router.delete('/lines/:lineId/', removeLine);
  async function removeLine(request) { return request.query.note; }
  map.get("no route");
  app.listen(process.env.PORT);`;

const MANIFEST = JSON.stringify({ name: "@acme/shop", scripts: { start: "node src/server.js" } });

test("routes, migrations and the start script of a project make a definition", async () => {
  const { text, found } = await project({
    "package.json": MANIFEST,
    "src/server.js": SERVER,
    "test/server.test.js": 'app.get("/of-a-test", handler);',
    "migrations/001.sql": MIGRATION,
    "seed.sql": "",
  });
  expect(found).toMatchObject({ name: "acme-shop", typescript: false, warnings: [] });
  expect(text).toContain('setup: ["migrations/*.sql", "seed.sql"],');
  expect(text).toContain('service: { exec: ["node", "src/server.js"] },');
  const operations = text.split("\n").filter((line) => line.includes(": http."));
  expect(operations.map((line) => line.trim())).toEqual([
    '"GET /items/:id": http.get("/items/:id", { id: rowOf("items.id") }),',
    '"POST /items/:id/lines": http.post("/items/:id/lines", { id: rowOf("items.id"), itemId: rowOf("items.id"), quantity: fc.integer({ min: 1, max: 3 }), due: fc.constantFrom("2099-01-01", "2099-01-02"), urgent: fc.boolean() }),',
    '"DELETE /lines/:lineId": http.delete("/lines/:lineId", { lineId: fc.constantFrom("line_id-a", "line_id-b"), note: fc.constantFrom("note-a", "note-b") }),',
  ]);
  expect(text).toContain('import { defineService, http, rowOf } from "heddle";');
  expect(text).not.toContain("TODO");
});

test("what stands in the way is a TODO", async () => {
  const { text } = await project({
    "package.json": '{ "scripts": { "dev": "node server.js" } }',
    "server.js": 'app.get("/items", list); app.listen(3000);',
    "tsconfig.json": "{}",
    "schema.sql": "create table items (id int)",
  });
  expect(text).toContain("TODO There is no script `start`");
  expect(text).toContain("TODO No SQL inserts rows");
  await rm(join(folder, "schema.sql"));
  const started = await project({ "package.json": MANIFEST });
  expect(started.found).toMatchObject({ typescript: true });
  expect(started.text).toContain("No schema was found");
  expect(started.text).toContain("No source reads the variable PORT");
  expect(started.text).toContain("No source reads DATABASE_URL");
});

test("routers have the prefixes under which they are mounted, and chains their methods", async () => {
  const { text } = await project({
    "package.json": JSON.stringify({ scripts: { start: "node ./bin/www" } }),
    "bin/www": "server.listen(process.env.PORT);",
    "app.js": `
      const books = require("./routes/books");
      app.use(express.json());
      app.use("/api", auth, require("./routes"));
      app.use("/books/", books);
      const admin = express.Router();
      admin.get("/health", ok).post("/reset", reset);
      app.use("/admin", admin);`,
    "routes/books.js": `
      const router = express.Router();
      router.route("/:bookId")
        .get((req, res) => { res.json(find(req.params.bookId)); })
        // Puts another title.
        .put((req, res) => { const { title } = req.body; });
      router.post("/", add);
      module.exports = router;`,
    "routes/index.js": `
      import { members as all } from "./members.js";
      const router = Router();
      router.use("/members", all);
      export default router;`,
    "routes/members.ts": `
      export const members = new Hono();
      members.delete("/:id", remove);
      members.get("/", list);`,
    "db/models.ts": 'export const books = pgTable("books", { id: serial("id").primaryKey() });',
  });
  const operations = text.split("\n").filter((line) => line.includes(": http."));
  expect(operations.map((line) => line.trim().split('": ')[0]?.slice(1))).toEqual([
    "GET /admin/health",
    "POST /admin/reset",
    "GET /books/:bookId",
    "PUT /books/:bookId",
    "POST /books",
    "DELETE /api/members/:id",
    "GET /api/members",
  ]);
  expect(text).toContain('{ bookId: rowOf("books.id"), title:');
  expect(text).not.toContain("No source reads the variable PORT");
});

test.each([
  ["an OpenAPI document", { "openapi.json": '{ "paths": {} }' }, 'fromOpenApi("./openapi.json")'],
  [
    "a document in YAML",
    { "docs/openapi.yaml": "paths: {}" },
    'fromOpenApi("./docs/openapi.yaml")',
  ],
  ["an archive", { "session.har": "{}" }, 'fromHar("./session.har")'],
])("%s comes before routes", async (_, files, expected) => {
  const { text } = await project({ "package.json": MANIFEST, "server.js": SERVER, ...files });
  expect(text).toContain(expected);
  expect(text).not.toContain("http.get");
});

test("a folder of Supabase is a service of functions", async () => {
  const { text, found } = await project({
    "package.json": MANIFEST,
    "app/page.js": SERVER,
    "supabase/migrations/1.sql": "create or replace function claim() returns int as '';",
    "supabase/seed.sql": "insert into a values (1)",
  });
  expect(found?.service).toBeUndefined();
  expect(text).toContain('setup: ["supabase/migrations/*.sql", "supabase/seed.sql"]');
  expect(text).toContain('fromFunctions("public")');
  expect(text).toContain("TODO Supabase's own roles");
});

test.each([
  [
    { "prisma/schema.prisma": "", "prisma/migrations/1/a.sql": "" },
    '["npx", "prisma", "migrate", "deploy"]',
  ],
  [{ "prisma/schema.prisma": "" }, '["npx", "prisma", "db", "push"]'],
  [{ "migrations/1.up.sql": "", "migrations/1.down.sql": "" }, '"migrations/*.up.sql"'],
  [{ "db/migrations/1.sql": "-- migrate:up\n-- migrate:down" }, '"db/migrations/*.sql"'],
  [{ "db/structure.sql": "" }, '"db/structure.sql"'],
  [
    { "flyway/sql/V1__a.sql": "create table a ()", "flyway/sql/V2__b.sql": "insert into a" },
    '"flyway/sql/*.sql"',
  ],
  [
    { "src/db/up.sql": "CREATE TABLE a ()", "src/db/down.sql": "create table a ()" },
    '"src/db/up.sql"',
  ],
  [
    { "sqitch.plan": "", "deploy/a.sql": "create table a ()", "revert/a.sql": "" },
    '"deploy/a.sql"',
  ],
])("the setup of %o is %s", async (files, expected) => {
  const { text } = await project({ "package.json": MANIFEST, "server.js": SERVER, ...files });
  expect(text).toContain(expected);
  expect(text.includes("parts that undo them")).toBe("db/migrations/1.sql" in files);
});

test("a migration script is used where migrations are no plain SQL", async () => {
  const scripts = { start: "tsc && node dist/a.js", "db:migrate": "knex migrate:latest" };
  const { text } = await project({
    "package.json": JSON.stringify({ scripts }),
    "server.js": SERVER,
    "migrations/1.js": "",
  });
  expect(text).toContain('setup: [{ exec: ["npm", "run", "db:migrate"] }]');
  expect(text).toContain('service: { exec: ["npm", "start"] }');
});

test.each([
  [{ "db:setup": "node db.js", start: "node a.js" }, '[{ exec: ["npm", "run", "db:setup"] }]'],
  [{ prestart: "node db.js", start: "node a.js" }, '[{ exec: ["npm", "run", "prestart"] }]'],
  [{ prestart: "npm run build", start: "node a.js" }, "[]"],
  [
    { seed: "node seed.js", "knex:migrate": "knex migrate:latest", start: "node a.js" },
    '[{ exec: ["npm", "run", "knex:migrate"] }, { exec: ["npm", "run", "seed"] }]',
  ],
])("of the scripts %j the setup is %s", async (scripts, setup) => {
  const { text } = await project({
    "package.json": JSON.stringify({ scripts }),
    "a.js": SERVER,
    "db.js": "pool.query(`create table items (id serial primary key)`)",
  });
  expect(text).toContain(`setup: ${setup},`);
  expect(text.includes('service: { exec: ["npm", "start"] }')).toBe(setup === "[]");
  expect(text).toContain('"GET /items/:id": http.get("/items/:id", { id: rowOf("items.id") })');
  expect(text.includes("`setup` may stay empty")).toBe(setup === "[]");
});

test("a folder without a service, or without anything to send to it, has no definition", async () => {
  expect((await project({})).found).toBeUndefined();
  expect((await project({ "package.json": MANIFEST, "src/a.js": "" })).found).toBeUndefined();
});

test.each([
  ["/docs/json", '{ "openapi": "3.1.0", "paths": {} }'],
  ["/openapi.yaml", "openapi: 3.1.0\npaths: {}\n"],
])("init saves the document that a running service serves at %s, and writes nothing twice", async (served, text) => {
  const place = await TestFolder.make();
  const document = { openapi: "3.1.0", paths: {} };
  const service = createServer((request, response) => {
    const isThere = request.url === served;
    response.statusCode = isThere ? 200 : 404;
    response.end(isThere ? text : "<!doctype html><p>no: such page");
  }).listen(0, "127.0.0.1");
  await once(service, "listening");
  const url = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
  try {
    await writeFile(place.path("package.json"), MANIFEST);
    const first = await place.heddle("init", "--url", url);
    expect(first).toMatchObject({ code: 0 });
    expect(first.stdout).toContain("npx heddle verify acme-shop.heddle.mjs");
    expect(JSON.parse(await readFile(place.path("openapi.json"), "utf8"))).toEqual(document);
    const workflow = await readFile(place.path(".github/workflows/heddle.yml"), "utf8");
    expect(workflow).toContain("npx heddle verify acme-shop.heddle.mjs");
    const again = await place.heddle("init");
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining("already") });
  } finally {
    service.close();
    await place.remove();
  }
});
