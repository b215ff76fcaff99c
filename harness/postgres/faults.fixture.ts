import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Database, type Server, type ServerFaults, startServer } from "./provider.ts";

/** Tests of the faults of a server, for any provider. */
export function testFaults(choice: string): void {
  let server: Server;
  let faults: ServerFaults;
  let database: Database;
  beforeAll(async () => {
    server = await startServer(choice, { faults: true });
    if (server.faults === undefined) throw new Error("no faults");
    faults = server.faults;
    database = await server.lease();
    const client = await session();
    await client.query("create table t (id int)");
    await client.end();
  });
  afterAll(() => server.stop());

  async function session(): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: database.url });
    // The tests lose connections on purpose.
    client.on("error", () => {});
    await client.connect();
    return client;
  }

  async function rows(): Promise<number> {
    const client = await session();
    const { rowCount } = await client.query("select from t");
    await client.end();
    return rowCount ?? -1;
  }

  test("the data is durable", async () => {
    const client = await session();
    for (const name of ["fsync", "synchronous_commit", "full_page_writes"]) {
      expect((await client.query(`show ${name}`)).rows).toEqual([{ [name]: "on" }]);
    }
    await client.end();
  });

  test("a query to a paused server waits until the server resumes", async () => {
    const client = await session();
    await faults.pause();
    let answered = false;
    const answer = client.query("select 1 as one").then(({ rows: answeredRows }) => {
      answered = true;
      return answeredRows;
    });
    // A running server answers in a fraction of a millisecond.
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(answered).toBe(false);
    await faults.resume();
    expect(await answer).toEqual([{ one: 1 }]);
    await client.end();
  });

  test("committed rows survive a kill, others do not, and the URL stays valid", async () => {
    const before = await rows();
    const [done, open] = [await session(), await session()];
    await done.query("insert into t values (1)");
    await open.query("begin; insert into t values (2)");
    const lost = Promise.all([done, open].map((one) => new Promise((end) => one.once("end", end))));
    await faults.kill();
    await lost;
    await expect(session()).rejects.toThrow();
    await expect(server.lease()).rejects.toMatchObject({
      code: "PROVIDER_FAILED",
      message: expect.stringContaining("does not run"),
    });
    await faults.restart();
    expect(await rows()).toBe(before + 1);
    const other = await server.lease();
    await other.drop();
  });

  test("a cut network ends sessions and refuses new ones, and the server keeps running", async () => {
    const client = await session();
    const started = "select pg_postmaster_start_time()::text as at";
    const { rows: before } = await client.query(started);
    const lost = new Promise((resolve) => client.once("end", resolve));
    await faults.cut();
    await lost;
    await expect(session()).rejects.toThrow();
    await faults.mend();
    const next = await session();
    expect((await next.query(started)).rows).toEqual(before);
    await next.end();
  });

  test("an open transaction is rolled back when its connection is cut", async () => {
    const before = await rows();
    const client = await session();
    await client.query("begin; insert into t values (3)");
    await faults.cut();
    await faults.mend();
    expect(await rows()).toBe(before);
    const other = await session();
    // The lock is granted when the server has ended the session that was cut.
    await other.query("begin; lock table t in access exclusive mode; commit");
    await other.end();
  });

  test.each([
    "pause",
    "kill",
    "cut",
  ] as const)("a server can be stopped after a %s", async (fault) => {
    const other = await startServer(choice, { faults: true });
    await other.lease();
    await other.faults?.[fault]();
    await other.stop();
    await expect(other.lease()).rejects.toThrow(/The server was stopped/);
  });
}
