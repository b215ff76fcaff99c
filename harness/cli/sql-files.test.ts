import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { toyService } from "../explorer/toy.fixture.ts";
import { withInvariants } from "./sql-files.ts";

let folder: string;
const at = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "heddle-sql-"));
  for (const name of ["b.sql", "a.sql"]) await writeFile(at(name), `select '${name}'`);
  await writeFile(at("notes.txt"), "not SQL");
});

afterAll(() => rm(folder, { recursive: true }));

const queriesFrom = async (...paths: string[]) => {
  const { queries = [], sources } = await withInvariants(toyService(), paths);
  expect(sources).toHaveLength(queries.length);
  return queries;
};

test("a file is a query with its name, a folder is all of its .sql files; the files are sources", async () => {
  const a = { name: "a", sql: "select 'a.sql'" };
  expect(await queriesFrom(at("a.sql"))).toEqual([a]);
  expect(await queriesFrom(folder)).toEqual([a, { name: "b", sql: "select 'b.sql'" }]);
  const service = toyService();
  expect(await withInvariants(service, [])).toBe(service);
});

test.each([
  ["a file that is missing", ["missing.sql"], "cannot be read"],
  ["two files of one name", ["a.sql", "a.sql"], "two invariants have the name a"],
])("refuses %s", async (_, names, message) => {
  await expect(queriesFrom(...names.map(at))).rejects.toMatchObject({
    code: "USAGE",
    message: expect.stringContaining(message),
  });
});

test("refuses a folder without .sql files", async () => {
  const empty = await mkdtemp(join(folder, "empty"));
  await expect(queriesFrom(empty)).rejects.toMatchObject({ code: "USAGE" });
});
