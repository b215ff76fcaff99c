import { execFileSync } from "node:child_process";
import { appendFile, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { testPostgres } from "../postgres/server.fixture.ts";
import { TestFolder } from "./heddle.fixture.ts";

let place: TestFolder;

const git = (...args: string[]) => {
  const own = ["-c", "user.name=test", "-c", "user.email=test@example.com"];
  execFileSync("git", [...own, ...args], { cwd: place.folder, stdio: "pipe" });
};

beforeAll(async () => {
  place = await TestFolder.make();
  await writeFile(
    place.path("accounts.sql"),
    `create table accounts (id int primary key, balance int not null);
     insert into accounts values (1, 10);`,
  );
  await writeFile(
    place.path("notes.sql"),
    "create table notes (id serial primary key, text text);",
  );
  await writeFile(
    place.path("bank.heddle.mjs"),
    `import { defineService, sql } from "${new URL("../index.ts", import.meta.url)}";
     export default defineService({
       setup: ["accounts.sql", "notes.sql"],
       operations: {
         deposit: sql("update accounts set balance = balance + 5 where id = 1"),
         note: sql("insert into notes (text) values ('a')"),
       },
     });`,
  );
  await writeFile(place.path(".gitignore"), "reports\n");
  git("init", "--quiet");
  git("add", ".");
  git("commit", "--quiet", "--message", "begin");
});

afterAll(() => place?.remove());

async function changed(...revision: string[]) {
  const args = ["--seed", "1", "--changed", ...revision, "--postgres", testPostgres];
  const { code, stdout, stderr } = await place.heddle("verify", "bank.heddle.mjs", ...args);
  return { code, text: (stdout + stderr).replaceAll(/\s+/g, " ") };
}

test("verify --changed explores the pairs that a change concerns, and says what it left out", async () => {
  await writeFile(place.path("README.md"), "accounts");
  expect(await changed()).toMatchObject({
    code: 0,
    text: expect.stringMatching(
      /1 pair was left out, since the change since HEAD names neither .*: note × note/,
    ),
  });

  await appendFile(place.path("notes.sql"), "\nalter table notes add written timestamptz;");
  git("commit", "--all", "--quiet", "--message", "change");
  const { code, text } = await changed("HEAD~1");
  expect(code).toBe(0);
  expect(text).toMatch(/1 pair was left out, since the change since HEAD~1 .*: deposit × deposit/);
  expect(text).toMatch(/note × note, same arguments \d/);
});

test("a revision that there is not is an error", async () => {
  expect(await changed("no-such-branch")).toMatchObject({
    code: 2,
    text: expect.stringContaining("--changed needs a git repository with that revision"),
  });
});
