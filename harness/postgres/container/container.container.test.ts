import { once } from "node:events";
import { chown, mkdtemp, readdir, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { exists } from "../cache.ts";
import { processes, startHarness } from "../harness-process.fixture.ts";
import { serverUser } from "../os-user.ts";
import { type Server, startServer } from "../provider.ts";
import { baseFolder } from "../run-folder.ts";
import { describeContainers, inventory, testContainer, testImage } from "./container.fixture.ts";

describeContainers("a container", () => {
  let server: Server;
  beforeAll(async () => {
    server = await startServer(testContainer);
  });
  afterAll(() => server.stop());

  async function rowsOf(url: string, query: string): Promise<unknown[]> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const { rows } = await client.query(query);
    await client.end();
    return rows;
  }

  test("has its provider, version and description", () => {
    expect(server.provider).toBe("container");
    expect(server.version).toMatch(/^\d+(\.\d+)?$/);
    expect(server.description).toBe(
      `PostgreSQL ${server.version} in a container of ${testImage} (as asked)`,
    );
  });

  test("leases databases with pushed lock waits", async () => {
    const [first, second] = await Promise.all([server.lease(), server.lease()]);
    expect(first.name).not.toBe(second.name);
    expect(first.lockWaits).toBe("pushed");
    await first.drop();
    await second.drop();
  });

  test.runIf(process.platform === "linux")(
    "is reached over a socket in its run folder",
    async () => {
      const { url, drop } = await server.lease();
      expect(new URL(url).searchParams.get("host")).toBe(join(dirname(server.folder), "data"));
      await drop();
    },
  );

  test("has the settings and extensions of the embedded server", async () => {
    const { url, drop } = await server.lease();
    const query = `select current_setting('fsync') as fsync, current_setting('TimeZone') as zone,
      current_setting('deadlock_timeout') as deadlock, 'Z' < 'a' as sorted,
      pg_encoding_to_char(encoding) as encoding from pg_database where datname = current_database()`;
    expect(await rowsOf(url, query)).toEqual([
      { fsync: "off", zone: "UTC", deadlock: "1ms", sorted: true, encoding: "UTF8" },
    ]);
    await rowsOf(url, "create extension btree_gist");
    await drop();
  });

  test("leaves no container, volume, folder or process when it is stopped", async () => {
    const before = await inventory();
    const other = await startServer(testContainer);
    await other.lease();
    const run = dirname(other.folder);
    expect((await inventory()).containers).toHaveLength(before.containers.length + 1);
    await Promise.all([other.stop(), other.stop()]);
    expect(await inventory()).toEqual(before);
    expect(await exists(run)).toBe(false);
    expect(processes().filter(({ command }) => command.includes(run))).toEqual([]);
    await expect(other.lease()).rejects.toThrow(/The server was stopped/);
  });
});

/** Harnesses with other environment variables, in other processes, since a process reads these once. */
describeContainers("a start in another environment", () => {
  let base: string;
  beforeEach(async () => {
    base = await mkdtemp(join(await baseFolder(undefined), "hc-"));
  });
  afterEach(async () => {
    expect(await readdir(base)).toEqual([]);
    await rm(base, { recursive: true });
  });

  async function errorOf(
    choice: string,
    options: Parameters<typeof startHarness>[1] = {},
  ): Promise<string> {
    const env = { TMPDIR: base, ...options.env };
    const harness = startHarness(choice, { ...options, env });
    expect(await harness.ended).toBe(1);
    return harness.stderr();
  }

  test("without an engine is an error", async () => {
    const env = { DOCKER_HOST: "unix:///nowhere/docker.sock" };
    expect(await errorOf(testContainer, { env })).toMatch(
      /No container engine answers at unix:\/\/\/nowhere\/docker\.sock .*: start Docker, set/,
    );
  });

  test("without the right to use the engine's socket is an error", async ({ skip }) => {
    const user = await serverUser();
    if (user === undefined) return skip("only root can start a harness as another user");
    await chown(base, user.uid, user.gid);
    const { uid, gid } = user;
    expect(await errorOf(testContainer, { uid, gid })).toMatch(
      /This user may not use the engine's socket .*docker\.sock: let an administrator add/,
    );
  });

  test("of an image that does not exist is an error, and not a silent fallback", async () => {
    const before = await inventory();
    expect(await errorOf("container:localhost:1/heddle/nowhere:1")).toMatch(
      /Cannot start a container of localhost:1\/heddle\/nowhere:1: (there is no such image|the image is not present, and its registry cannot be reached)/,
    );
    expect(await inventory()).toEqual(before);
  });

  test("of an invalid name is an error", async () => {
    expect(await errorOf("container:Not An Image")).toMatch(/this is not the name of an image/);
  });

  describe("auto", () => {
    async function described(env: NodeJS.ProcessEnv): Promise<string> {
      const harness = startHarness("auto", { env: { TMPDIR: base, ...env } });
      const { description } = await harness.started;
      harness.child.stdin?.end();
      expect(await harness.ended).toBe(0);
      return description;
    }

    test("selects a container if an engine has the image", async () => {
      expect(await described({ HEDDLE_POSTGRES_IMAGE: testImage })).toMatch(
        /in a container of .* \(a container engine is running and has the image; another server: --postgres emb/,
      );
    });

    test("downloads nothing, and selects the embedded server if the image is not present", async () => {
      expect(await described({ HEDDLE_POSTGRES_IMAGE: "heddle/nowhere:1" })).toMatch(
        /^embedded .* the image heddle\/nowhere:1 is not present; another server: --postgres contain/,
      );
    });

    test("selects the embedded server if no engine answers", async () => {
      expect(await described({ DOCKER_HOST: "unix:///nowhere/docker.sock" })).toMatch(
        /^embedded .* no container engine answers; another server/,
      );
    });

    test("does not wait for an engine that never answers", async () => {
      const engine = createServer((socket) => socket.resume()).listen(join(base, "engine"));
      const path = `unix://${join(base, "engine")}`;
      expect(await described({ DOCKER_HOST: path })).toMatch(
        /^embedded .* no container engine answers/,
      );
      engine.close();
      await once(engine, "close");
    });
  });
});
