import { afterAll, beforeAll, expect, test } from "vitest";
import { connect, withDatabase } from "./connection.ts";
import { type Diagnostic, diagnose, examineDatabase } from "./doctor.ts";
import { startEmbedded } from "./embedded.ts";
import type { Server } from "./server.ts";

let theirs: Server;
let url: string;
beforeAll(async () => {
  theirs = await startEmbedded({ over: "tcp" });
  url = withDatabase((await theirs.lease()).url, "postgres");
  const admin = await connect(url);
  await admin.query("create role plain login password 'plain'");
  await admin.query("create role maker login createdb password 'maker'");
  await admin.end();
});
afterAll(() => theirs.stop());

function as(role: string): string {
  const other = new URL(url);
  other.username = role;
  other.password = role;
  return other.href;
}

test("all is well with the embedded server", async () => {
  const findings = await diagnose("embedded");
  expect(findings.filter(({ ok }) => !ok)).toEqual([]);
  expect(findings.map(({ name }) => name)).toEqual([
    "provider",
    "binaries",
    "account",
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

test("a role with few rights is shown as such", async () => {
  const findings = await diagnose(as("maker"));
  const detail = (name: string) => findings.find((finding) => finding.name === name)?.detail;
  expect(detail("role")).toBe("maker, no superuser");
  expect(detail("lock waits")).toMatch(/^asked for, which is slower/);
  expect(detail("statement gates")).toMatch(/^work/);
  expect(detail("routine and row gates")).toMatch(/^work/);
});

async function examined(role: string): Promise<Diagnostic[]> {
  const findings: Diagnostic[] = [];
  await examineDatabase(findings, as(role));
  return findings;
}

test("where no routine may be made, only statement gates work", async () => {
  const findings = await examined("plain");
  expect(findings.filter(({ name }) => name.endsWith("gates"))).toEqual([
    { name: "statement gates", ok: true, detail: expect.stringMatching(/^work/) },
    {
      name: "routine and row gates",
      ok: false,
      detail: "permission denied for schema public",
      hint: expect.stringMatching(/^Only statement gates work/),
    },
  ]);
});

test("where it is not seen who waits, no gates work", async () => {
  const admin = await connect(url);
  const right = "execute on function pg_blocking_pids";
  await admin.query(`revoke ${right} from public`);
  const findings = await examined("plain");
  await admin.query(`grant ${right} to public`);
  await admin.end();
  expect(findings.find(({ name }) => name === "statement gates")).toMatchObject({
    ok: false,
    hint: expect.stringContaining("not of a pooler"),
  });
});

test.each([
  ["a role without the right to create databases", () => as("plain"), "server", /CREATEDB/],
  ["a server that is not there", () => "postgres://127.0.0.1:1/x", "server", /nothing listens/],
  ["a choice that there is not", () => "oracle", "provider", /no Postgres provider "oracle"/],
])("%s is the last finding", async (_, choice, name, detail) => {
  const findings = await diagnose(choice());
  expect(findings.at(-1)).toEqual({ name, ok: false, detail: expect.stringMatching(detail) });
});
