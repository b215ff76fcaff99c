import { afterAll, beforeAll, expect, test } from "vitest";
import { connect, withDatabase } from "./connection.ts";
import { checkDatabase, type Diagnostic, diagnose } from "./doctor.ts";
import { startEmbedded } from "./embedded.ts";
import type { Server } from "./server.ts";

let existing: Server;
let url: string;
beforeAll(async () => {
  existing = await startEmbedded({ over: "tcp" });
  url = withDatabase((await existing.lease()).url, "postgres");
  const admin = await connect(url);
  await admin.query("create role plain login password 'plain'");
  await admin.query("create role maker login createdb password 'maker'");
  await admin.end();
});
afterAll(() => existing.stop());

function as(role: string): string {
  const other = new URL(url);
  other.username = role;
  other.password = role;
  return other.href;
}

test("every check passes with the embedded server", async () => {
  const diagnostics = await diagnose("embedded");
  expect(diagnostics.filter(({ ok }) => !ok)).toEqual([]);
  expect(diagnostics.map(({ name }) => name)).toEqual([
    "provider",
    "binaries",
    "OS user",
    "cache",
    "cluster",
    "run folders",
    "server",
    "create database",
    "lock waits",
    "connect",
    "role",
    "advisory locks",
    "notices",
    "btree_gist",
    "statement gates",
    "routine and row gates",
  ]);
});

test("shows the rights of a role that may create databases only", async () => {
  const diagnostics = await diagnose(as("maker"));
  const detail = (name: string) =>
    diagnostics.find((diagnostic) => diagnostic.name === name)?.detail;
  expect(detail("role")).toBe("maker, not a superuser");
  expect(detail("lock waits")).toMatch(/^polled, which is slower/);
  expect(detail("statement gates")).toMatch(/^work/);
  expect(detail("routine and row gates")).toMatch(/^work/);
});

async function checked(role: string): Promise<Diagnostic[]> {
  const diagnostics: Diagnostic[] = [];
  await checkDatabase(diagnostics, as(role));
  return diagnostics;
}

test("only statement gates work if the role may not create routines", async () => {
  const diagnostics = await checked("plain");
  expect(diagnostics.filter(({ name }) => name.endsWith("gates"))).toEqual([
    { name: "statement gates", ok: true, detail: expect.stringMatching(/^work/) },
    {
      name: "routine and row gates",
      ok: false,
      detail: "permission denied for schema public",
      hint: expect.stringMatching(/^Only statement gates work/),
    },
  ]);
});

test("no gates work if the server does not show which session waits", async () => {
  const admin = await connect(url);
  const right = "execute on function pg_blocking_pids";
  await admin.query(`revoke ${right} from public`);
  const diagnostics = await checked("plain");
  await admin.query(`grant ${right} to public`);
  await admin.end();
  expect(diagnostics.find(({ name }) => name === "statement gates")).toMatchObject({
    ok: false,
    hint: expect.stringContaining("not of a pooler"),
  });
});

test.each([
  ["a role without the right to create databases", () => as("plain"), "server", /CREATEDB/],
  ["a server that is not running", () => "postgres://127.0.0.1:1/x", "server", /nothing listens/],
  ["an unknown provider", () => "oracle", "provider", /Unknown Postgres provider "oracle"/],
])("%s is the last diagnostic", async (_, choice, name, detail) => {
  const diagnostics = await diagnose(choice());
  expect(diagnostics.at(-1)).toEqual({ name, ok: false, detail: expect.stringMatching(detail) });
});
