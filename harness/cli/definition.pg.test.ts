import { writeFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { testPostgres } from "../postgres/server.fixture.ts";
import { TestFolder } from "./heddle.fixture.ts";

let place: TestFolder;

beforeAll(async () => {
  place = await TestFolder.make();
  await writeFile(
    place.path("schema.sql"),
    `create table accounts (id int generated always as identity primary key, balance int not null);
     insert into accounts (balance) values (10), (20);
     create function pay_in(which int, amount int) returns int language plpgsql as $$
     declare before int;
     begin
       before := (select balance from accounts where id = which);
       update accounts set balance = before + amount where id = which;
       return before + amount;
     end $$;`,
  );
  await writeFile(
    place.path("bank.heddle.mjs"),
    `import { defineService, rowOf, sql } from "${new URL("../index.ts", import.meta.url)}";
     export default defineService({
       setup: "*.sql",
       operations: {
         deposit: sql("select pay_in($1, $2)", [rowOf("accounts.id"), 5]),
         close: sql("select 1 / 0"),
       },
     });`,
  );
});

afterAll(() => place?.remove());

const heddle = (...args: string[]) => place.heddle(...args, "--postgres", testPostgres);

const oneLine = (text: string) => text.replaceAll(/\s+/g, " ");

test("verify, run and doctor take a service definition, and its counterexample replays", async () => {
  const campaign = ["bank.heddle.mjs", "--seed", "1", "--runs", "60"];
  const caught = await heddle("verify", ...campaign);
  expect(caught.stdout).toContain("FAIL  bank.heddle.mjs");
  expect(caught).toMatchObject({
    code: 1,
    stdout: expect.stringContaining("client 0  preempts client 1"),
  });
  expect(oneLine(caught.stdout)).toContain("The operation close never succeeded");
  const file = /npx heddle replay (\S+)/.exec(caught.stdout)?.[1];
  expect(await heddle("replay", String(file), "--repeat", "3")).toMatchObject({
    code: 1,
    stdout: expect.stringContaining("3 of 3: the same steps and the same violation"),
  });
  const again = await heddle("run", ...campaign);
  expect(again).toMatchObject({ code: 1 });
  expect(oneLine(again.stdout)).toContain("stored regression violates its rule again");
  const regressions = await heddle("regressions", "bank.heddle.mjs", "--replay");
  expect(regressions).toMatchObject({ code: 1, stdout: expect.stringMatching(/: fails/) });

  const pairs = await heddle("verify", "bank.heddle.mjs", "--seed", "1", "--pairs");
  expect(pairs.stdout).toMatch(/deposit × deposit, same accounts\.id .*serially-equivalent/);
  expect(pairs.stdout).toMatch(/deposit × deposit, different accounts\.id .*–/);

  const doctor = await heddle("doctor", "bank.heddle.mjs");
  expect(doctor.stdout).toContain(
    "ok  operation deposit: answered OK; 1 statement: select pay_in($1, $2)",
  );
  expect(doctor.stdout).toMatch(/NO {2}operation close: never succeeded; answered 22012 \d+ times/);
  expect(doctor.code).toBe(2);
});

test.each([
  ["beside others that do, an operation may need no database", 'look: sql("select 1"),', "ok ", 0],
  ["no operation reaches the gate", "", "NO ", 2],
])("doctor: %s", async (_, operation, result, code) => {
  await writeFile(
    place.path("health.heddle.mjs"),
    `import { createServer } from "node:http";
     import { defineService, http, sql } from "${new URL("../index.ts", import.meta.url)}";
     export default defineService({
       setup: [],
       service: async () => {
         const server = createServer((_, response) => response.end("up"));
         await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
         return { url: "http://127.0.0.1:" + server.address().port, stop: () => server.closeAllConnections() ?? server.close() };
       },
       operations: { ${operation} health: http.get("/health") },
     });`,
  );
  const doctor = await heddle("doctor", "health.heddle.mjs");
  expect(doctor.stdout).toContain(
    `${result} operation health: answered 200, and sent no statement that reached the gate`,
  );
  expect(doctor.code).toBe(code);
});

test("verify takes a scenario file as run does", async () => {
  await writeFile(
    place.path("race.mjs"),
    `import pg from "${import.meta.resolve("pg")}";
     async function client({ url }) {
       const db = new pg.Client(url);
       await db.connect();
       const { rows } = await db.query("select value from counter");
       await db.query("update counter set value = $1", [rows[0].value + 1]);
       await db.end();
     }
     export default {
       setup: "create table counter (value int); insert into counter values (0)",
       clients: { ada: client, bob: client },
       invariants: { "nothing is lost": "select * from counter where value <> 2" },
     };`,
  );
  const [verified, run] = [await heddle("verify", "race.mjs"), await heddle("run", "race.mjs")];
  expect(verified).toMatchObject({ code: 1, stdout: expect.stringContaining("nothing is lost") });
  expect(run.code).toBe(1);
});

test("a definition with a mistake is rejected with the reason", async () => {
  await writeFile(
    place.path("wrong.mjs"),
    "export default { setup: 'a.sql', operations: { a: 1 } }",
  );
  expect(await heddle("verify", "wrong.mjs")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('wrong.mjs is not a service: the operation "a" is none of'),
  });
});
