import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { Client } from "pg";
import { request } from "undici";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Server, startServer } from "../harness/postgres/provider.ts";
import { testPostgres } from "../harness/postgres/server.fixture.ts";
import { migrate } from "./migrate.ts";

const main = fileURLToPath(new URL("main.ts", import.meta.url));

let server: Server;
let url: string;
let children: ChildProcess[] = [];

beforeAll(async () => {
  server = await startServer(testPostgres);
  url = (await server.lease()).url;
  await migrate(url);
});
afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
  children = [];
});
afterAll(() => server?.stop());

function start(env: Record<string, string>, ...args: string[]) {
  const key = "a key for the tests of the process";
  const child = spawn(process.execPath, [main, ...args], {
    env: { TOKEN_KEY: key, ...env },
    stdio: "pipe",
  });
  children.push(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  const ended = once(child, "close").then(([code]) => ({ code, output }));
  return { child, ended };
}

test.each(["SIGTERM", "SIGINT"] as const)("serves until %s, and ends cleanly", async (signal) => {
  const { child, ended } = start({ DATABASE_URL: url, PORT: "0" });
  const [line] = (await once(child.stdout, "data")) as [string];
  const address = /^Listening on (\S+)\n$/.exec(line)?.[1];

  const { statusCode, body } = await request(`${address}/health`);
  expect([statusCode, await body.json()]).toEqual([200, { code: "OK" }]);

  child.kill(signal);
  expect(await ended).toEqual({ code: 0, output: line });
});

test("finishes the request under way after SIGTERM", async () => {
  const holder = new Client({ connectionString: url });
  await holder.connect();
  await holder.query("begin; lock table bookings in exclusive mode");
  const { child, ended } = start({ DATABASE_URL: url, PORT: "0" });
  const [line] = (await once(child.stdout, "data")) as [string];
  const token = (await start({}, "token", "customer:c").ended).output.trim();
  const answer = request(`${line.trim().split(" ").at(-1)}/api/bookings/1/cancel`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
    body: "{}",
  });
  while ((await holder.query("select from pg_locks where not granted")).rowCount === 0);
  child.kill();
  await holder.query("rollback");
  await holder.end();

  const { statusCode, body } = await answer;
  expect([statusCode, await body.json()]).toMatchObject([404, { code: "BOOKING_NOT_FOUND" }]);
  expect(await ended).toEqual({ code: 0, output: line });
});

/** Starts the service, and waits until it listens. */
async function listening(env: Record<string, string> = {}) {
  const running = start({ DATABASE_URL: url, PORT: "0", ...env });
  const [line] = (await once(running.child.stdout, "data")) as [string];
  return { ...running, line, origin: line.trim().split(" ").at(-1) ?? "" };
}

test("ends within its grace period while a client never finishes its request", async () => {
  const { child, ended, line, origin } = await listening({ GRACE_PERIOD_MS: "500" });
  const unfinished = connect(Number(new URL(origin).port), "127.0.0.1");
  unfinished.on("error", () => {});
  unfinished.write(
    "POST /api/bookings/create HTTP/1.1\r\nhost: x\r\n" +
      "content-type: application/json\r\ncontent-length: 400\r\n\r\n{",
  );
  // The server has accepted the first connection when it answers on the second one.
  await (await request(`${origin}/health`)).body.dump();

  child.kill();
  expect(await ended).toEqual({ code: 0, output: line });
  unfinished.destroy();
});

describe("while a slot is locked", () => {
  let holder: Client;
  let token: string;

  beforeAll(async () => {
    holder = new Client({ connectionString: url });
    await holder.connect();
    await holder.query(`
      insert into providers (name) values ('Ada');
      select publish_slot(1, '2100-01-01T10:00:00Z', '2100-01-01T11:00:00Z')`);
    await holder.query("begin; select from availability_slots for update");
    token = (await start({}, "token", "customer:c").ended).output.trim();
  });
  afterAll(() => holder?.end());

  const create = (origin: string) =>
    request(`${origin}/api/bookings/create`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body: JSON.stringify({
        providerId: "1",
        startAt: "2100-01-01T10:00:00Z",
        endAt: "2100-01-01T11:00:00Z",
        customerId: "c",
        customerName: "Ada",
      }),
    });
  // Not pg_stat_activity, which does not change during the holder's transaction.
  const waiting = async () =>
    (await holder.query("select from pg_locks where not granted")).rowCount ?? 0;

  test("requests end by the lock timeout", async () => {
    const { child, ended, origin } = await listening({ LOCK_TIMEOUT_MS: "50" });
    const { statusCode, body } = await create(origin);
    expect([statusCode, await body.json()]).toMatchObject([503, { code: "DATABASE_BUSY" }]);
    child.kill();
    expect(await ended).toMatchObject({ code: 0 });
  });

  test("requests end by the statement timeout", async () => {
    const env = { LOCK_TIMEOUT_MS: "0", STATEMENT_TIMEOUT_MS: "50" };
    const { child, ended, origin } = await listening(env);
    const { statusCode, body } = await create(origin);
    expect([statusCode, await body.json()]).toMatchObject([503, { code: "DATABASE_UNAVAILABLE" }]);
    child.kill();
    expect(await ended).toMatchObject({ code: 0 });
  });

  test("health checks are answered though requests use the whole pool, and the grace period ends them", async () => {
    const env = { LOCK_TIMEOUT_MS: "0", STATEMENT_TIMEOUT_MS: "0", GRACE_PERIOD_MS: "500" };
    const { child, ended, origin } = await listening(env);
    const creates = Promise.allSettled(Array.from({ length: 30 }, () => create(origin)));
    while ((await waiting()) < 10);

    const { statusCode, body } = await request(`${origin}/health`);
    expect([statusCode, await body.json()]).toEqual([200, { code: "OK" }]);

    child.kill();
    expect(await ended).toMatchObject({
      code: 1,
      output: expect.stringContaining("The service did not end within 500 ms."),
    });
    await creates;
  });
});

test("brings a schema up to date", async () => {
  const { url: empty } = await server.lease();
  const without = await start({ DATABASE_URL: empty, PORT: "0" }).ended;
  expect(without).toEqual({
    code: 2,
    output: "The database has no booking schema: run main.ts migrate first.\n",
  });

  expect(await start({ DATABASE_URL: empty }, "migrate").ended).toEqual({ code: 0, output: "" });

  const { child, ended } = start({ DATABASE_URL: empty, PORT: "0" });
  await once(child.stdout, "data");
  child.kill();
  expect(await ended).toMatchObject({ code: 0 });
});

describe("says why it cannot start", () => {
  test.each([
    [{}, "Set DATABASE_URL, such as postgres://user@localhost/bookings."],
    [
      { DATABASE_URL: "postgres://nobody@127.0.0.1:1/none" },
      "The database at DATABASE_URL cannot be reached: connect ECONNREFUSED 127.0.0.1:1",
    ],
    [
      { DATABASE_URL: "postgres://nobody@localhost/none?host=/nowhere" },
      "The database at DATABASE_URL cannot be reached: connect ENOENT /nowhere/.s.PGSQL.5432",
    ],
    [
      { DATABASE_URL: "postgres://nobody@127.0.0.1:1/none", REQUESTS_PER_MINUTE: "abc" },
      'REQUESTS_PER_MINUTE is "abc": set it to a whole number from 1 to 1000000000.',
    ],
    [
      { DATABASE_URL: "postgres://nobody@127.0.0.1:1/none", TOKEN_KEY: "short" },
      "Set TOKEN_KEY to at least 32 random characters.",
    ],
  ])("%o", async (env, output) => {
    expect(await start(env as Record<string, string>).ended).toEqual({
      code: 2,
      output: `${output}\n`,
    });
  });

  test("an actor that is not valid", async () => {
    const { code, output } = await start({}, "token", "me").ended;
    expect([code, output]).toEqual([2, "Say for whom: customer:ID, vendor:ID or system:NAME.\n"]);
  });

  test("a port that is in use", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as { port: number };
    const outcome = await start({ DATABASE_URL: url, PORT: String(port) }).ended;
    other.close();

    expect(outcome).toEqual({
      code: 2,
      output: `Port ${port} is in use: set PORT to another one.\n`,
    });
  });
});
