import { execFile } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { verify } from "../index.ts";
import { freePort } from "../postgres/address.ts";
import { openClient, withClient } from "../postgres/connection.ts";
import { startEmbedded } from "../postgres/embedded.ts";
import type { Server } from "../postgres/provider.ts";
import type { ScenarioDefinition } from "./scenario-definition.ts";
import { scenarioService } from "./scenario-service.ts";

let server: Server;
beforeAll(async () => {
  server = await startEmbedded();
});
afterAll(() => server.stop());

/** Runs a scenario whose client is `look`. */
async function during(
  look: (context: { readonly url: string }) => Promise<unknown>,
  definition: Partial<ScenarioDefinition> = {},
) {
  const scenario = {
    setup: `create extension btree_gist; create table accounts (balance int);
            insert into accounts values (1)`,
    ...definition,
    clients: { ada: look },
  };
  const service = scenarioService(scenario, "a.ts", new URL(import.meta.url));
  return verify(server, service, { seed: 1, runs: 1 });
}

/** The TCP ports of this machine on which this process listens. */
function listeningPorts(): number[] {
  const sockets = new Set(
    readdirSync("/proc/self/fd").map((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[1];
      } catch {
        return undefined;
      }
    }),
  );
  return readFileSync("/proc/self/net/tcp", "utf8")
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === "0A" && sockets.has(fields[9]))
    .map((fields) => Number.parseInt(fields[1]?.split(":")[1] ?? "", 16));
}

/** Connects as another OS user, and prints the server's first answer and the one to a password. */
const STRANGER = `
  const [path, user] = process.argv.slice(1);
  if (process.getuid() === 0) { process.setgroups([]); process.setgid(65534); process.setuid(65534); }
  const socket = require("net").connect(/^\\d+$/.test(path) ? { port: Number(path), host: "127.0.0.1" } : { path });
  const fields = Buffer.from("user\\0" + user + "\\0database\\0postgres\\0\\0");
  const packet = Buffer.alloc(8); packet.writeInt32BE(8 + fields.length); packet.writeInt32BE(196608, 4);
  const guess = Buffer.from("p\\0\\0\\0\\x0aguess\\0", "latin1");
  let answers = [];
  socket.on("connect", () => socket.write(Buffer.concat([packet, fields])));
  socket.on("data", (data) => {
    const kind = String.fromCharCode(data[0]);
    answers.push(kind === "R" ? "R" + data.readInt32BE(5) : (/C(\\w{5})/.exec(data.toString("latin1")) ?? [])[1]);
    if (kind === "R" && answers.length === 1) socket.write(guess); else socket.destroy();
  });
  socket.on("error", (error) => answers.push(error.code));
  socket.on("close", () => console.log(answers.join(" ")));
`;

async function asStranger(path: string, user: string): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, ["-e", STRANGER, path, user]);
  return stdout.trim();
}

test.skipIf(process.platform !== "linux")(
  "no port of a run opens to another user of the machine",
  async () => {
    const { port: databasePort } = await freePort();
    const answers: string[] = [];
    const before = new Set(listeningPorts());
    const look = async () => {
      const ports = listeningPorts().filter((port) => !before.has(port));
      expect(ports).toContain(databasePort);
      expect(ports.length).toBeGreaterThan(1);
      for (const port of ports) {
        for (const user of ["x", "postgres"]) answers.push(await asStranger(String(port), user));
      }
    };
    const service = { url: "http://127.0.0.1:9", databasePort };
    const { error, campaign } = await during(look, { service });
    expect(error).toBeUndefined();
    // What the client threw.
    expect(campaign.counterexamples).toEqual([]);
    expect(new Set(answers)).toEqual(new Set(["R3 28P01", "R3 28000"]));
  },
);

test("a port leads to a role that owns its tables and is no superuser", async () => {
  const seen: unknown[] = [];
  const look = ({ url }: { readonly url: string }) =>
    withClient(url, async (client) => {
      const { rows } = await client.query("select rolsuper from pg_roles where rolname = user");
      const denied = client.query("copy (select 1) to program 'true'").catch(({ code }) => code);
      seen.push(rows, await denied);
      await client.query("alter table accounts add column note text");
    });
  const { error, campaign } = await during(look);
  expect(error).toBeUndefined();
  expect(campaign.counterexamples).toEqual([]);
  expect(seen.slice(0, 2)).toEqual([[{ rolsuper: false }], "42501"]);
});

test("a setup and a client that take no password from the URL log in", async () => {
  const own = process.env["PGPASSWORD"];
  const open = async ({ url }: { readonly url: string }) => {
    const { hostname: host, port, username: user, pathname } = new URL(url);
    const client = new Client({ host, port: Number(port), user, database: pathname.slice(1) });
    await client.connect();
    await client.query("create table if not exists t (id int)");
    await client.end();
  };
  const { error, campaign } = await during(open, { setup: open });
  expect(error).toBeUndefined();
  expect(campaign.counterexamples).toEqual([]);
  expect(process.env["PGPASSWORD"]).toBe(own);
});

test("a port does not lead to the superuser, even with its password", async () => {
  const codes: unknown[] = [];
  const look = async ({ url }: { readonly url: string }) => {
    const other = new URL(url);
    other.username = "postgres";
    codes.push(await openClient(other.href).catch((error: { code?: string }) => error.code));
  };
  await during(look);
  expect(new Set(codes)).toEqual(new Set(["28000"]));
});

test.skipIf(process.getuid?.() !== 0)(
  "another process of the server's account does not become superuser through the socket",
  async () => {
    const { url } = await server.lease();
    const folder = new URL(url).searchParams.get("host") ?? "";
    // 65534 is `nobody`, the account of the server.
    expect(await asStranger(`${folder}/.s.PGSQL.5432`, "postgres")).toBe("28000");
    const client = new Client({ connectionString: url });
    await client.connect();
    expect((await client.query("select rolsuper from pg_roles where rolname = user")).rows).toEqual(
      [{ rolsuper: true }],
    );
    await client.end();
    expect(dirname(folder)).toMatch(/heddle-pg-/);
  },
);
