import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type HarnessProcess, reaperOf, startHarness } from "../harness-process.fixture.ts";
import { describeContainers, inventory, testContainer } from "./container.fixture.ts";
import { openEngine } from "./engine.ts";
import { reusableContainers } from "./labels.ts";

describeContainers("a reusable container", () => {
  /** A cache of the test, so that the container is that of no other run. */
  let cache: string;
  let before: Awaited<ReturnType<typeof inventory>>;
  let harnesses: HarnessProcess[] = [];
  beforeEach(async () => {
    cache = await mkdtemp(join(tmpdir(), "hk-"));
    before = await inventory();
  });
  afterEach(async () => {
    // A harness that is still creating a container after another has failed would leave it behind.
    await Promise.all(harnesses.map(stop));
    harnesses = [];
    const { api } = await openEngine();
    const { containers } = await inventory();
    for (const id of containers.filter((one) => !before.containers.includes(one))) {
      await api.getContainer(id).remove({ force: true, v: true });
    }
    expect(await inventory()).toEqual(before);
    await rm(cache, { recursive: true });
  });

  function start(): HarnessProcess {
    const harness = startHarness(testContainer, { reuse: true, env: { XDG_CACHE_HOME: cache } });
    harnesses.push(harness);
    return harness;
  }

  async function stop({ child, ended }: HarnessProcess): Promise<number | NodeJS.Signals> {
    child.stdin?.end();
    return ended;
  }

  const added = async () => (await inventory()).containers.length - before.containers.length;

  test("serves the next run, and its description says how to remove it", async () => {
    const first = start();
    const { description, url } = await first.started;
    expect(description).toMatch(
      /kept for the next run, until docker rm --force --volumes heddle-kept-[0-9a-f]{12}\)$/,
    );
    const started = "select pg_postmaster_start_time()::text as at";
    const ask = async (text: string) => {
      const client = new pg.Client({ connectionString: url.replace(/\/heddle_\w+/, "/postgres") });
      await client.connect();
      const { rows } = await client.query(text);
      await client.end();
      return rows;
    };
    const at = await ask(started);
    expect(await stop(first)).toBe(0);
    expect(await added()).toBe(1);
    expect(await reusableContainers(await openEngine())).toContain(
      /heddle-kept-\w+/.exec(description)?.[0],
    );
    const second = start();
    await second.started;
    expect(await ask(started)).toEqual(at);
    expect(await stop(second)).toBe(0);
    expect(await ask("select from pg_database where datname ~ '^heddle_'")).toEqual([]);
  });

  test("is shared by concurrent starts, none of which drops another's database", async () => {
    const several = [start(), start(), start()];
    const databases = await Promise.all(several.map(({ started }) => started));
    expect(await added()).toBe(1);
    for (const { url } of databases) {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      await client.end();
    }
    expect(await Promise.all(several.map(stop))).toEqual([0, 0, 0]);
  });

  test("is created again if it was stopped, and the databases of a killed run are dropped", async () => {
    const killed = start();
    const { database } = await killed.started;
    process.kill(reaperOf(killed.pid), "SIGKILL");
    process.kill(killed.pid, "SIGKILL");
    await killed.ended;
    const next = start();
    const { url } = await next.started;
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const { rows } = await client.query("select datname from pg_database where datname = $1", [
      database,
    ]);
    expect(rows).toEqual([]);
    await client.end();
    expect(await stop(next)).toBe(0);

    const { api } = await openEngine();
    const [id = ""] = (await inventory()).containers.filter(
      (one) => !before.containers.includes(one),
    );
    await api.getContainer(id).stop({ t: 5 });
    const last = start();
    await last.started;
    expect(await stop(last)).toBe(0);
    expect(await added()).toBe(1);
  });
});
