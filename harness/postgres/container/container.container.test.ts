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

  test("says what it is", () => {
    expect(server.provider).toBe("container");
    expect(server.version).toMatch(/^\d+(\.\d+)?$/);
    expect(server.description).toBe(
      `PostgreSQL ${server.version} in a container of ${testImage} (as asked)`,
    );
  });

  test("leases databases, whose lock waits are pushed", async () => {
    const [first, second] = await Promise.all([server.lease(), server.lease()]);
    expect(first.name).not.toBe(second.name);
    expect(first.lockWaits).toBe("pushed");
    await first.drop();
    await second.drop();
  });

  test.runIf(process.platform === "linux")("is reached over a socket of its own", async () => {
    const { url, drop } = await server.lease();
    expect(new URL(url).searchParams.get("host")).toBe(join(dirname(server.folder), "data"));
    await drop();
  });

  test("is set for tests, and has what the embedded server has", async () => {
    const { url, drop } = await server.lease();
    const asked = `select current_setting('fsync') as fsync, current_setting('TimeZone') as zone,
      current_setting('deadlock_timeout') as deadlock, 'Z' < 'a' as sorted,
      pg_encoding_to_char(encoding) as encoding from pg_database where datname = current_database()`;
    expect(await rowsOf(url, asked)).toEqual([
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

/** Harnesses in surroundings of their own: what they find there is settled once for a process. */
describeContainers("a start in other surroundings", () => {
  let base: string;
  beforeEach(async () => {
    base = await mkdtemp(join(await baseFolder(undefined), "hc-"));
  });
  afterEach(async () => {
    expect(await readdir(base)).toEqual([]);
    await rm(base, { recursive: true });
  });

  async function refusal(
    choice: string,
    options: Parameters<typeof startHarness>[1] = {},
  ): Promise<string> {
    const env = { TMPDIR: base, ...options.env };
    const harness = startHarness(choice, { ...options, env });
    expect(await harness.ended).toBe(1);
    return harness.said();
  }

  test("without an engine says so", async () => {
    const env = { DOCKER_HOST: "unix:///nowhere/docker.sock" };
    expect(await refusal(testContainer, { env })).toMatch(
      /No engine for containers answers at unix:\/\/\/nowhere\/docker\.sock .*: start Docker, set/,
    );
  });

  test("without a right to the engine's socket says so", async ({ skip }) => {
    const account = await serverUser();
    if (account === undefined) return skip("only root can take on another account");
    await chown(base, account.uid, account.gid);
    const { uid, gid } = account;
    expect(await refusal(testContainer, { uid, gid })).toMatch(
      /This user may not use the engine's socket .*docker\.sock: let an administrator add/,
    );
  });

  test("of an image that there is not says so, and is no silent fallback", async () => {
    const before = await inventory();
    expect(await refusal("container:localhost:1/heddle/nowhere:1")).toMatch(
      /Cannot start a container of localhost:1\/heddle\/nowhere:1: (there is no such image|the image is not here, and its registry cannot be reached)/,
    );
    expect(await inventory()).toEqual(before);
  });

  test("of a name that is none says so", async () => {
    expect(await refusal("container:Not An Image")).toMatch(/that is no image's name/);
  });

  describe("auto", () => {
    async function described(env: NodeJS.ProcessEnv): Promise<string> {
      const harness = startHarness("auto", { env: { TMPDIR: base, ...env } });
      const { description } = await harness.started;
      harness.child.stdin?.end();
      expect(await harness.ended).toBe(0);
      return description;
    }

    test("takes a container where an engine has the image", async () => {
      expect(await described({ HEDDLE_POSTGRES_IMAGE: testImage })).toMatch(
        /in a container of .* \(an engine runs and has the image; another server: --postgres emb/,
      );
    });

    test("downloads nothing, and takes the embedded server where the image is not", async () => {
      expect(await described({ HEDDLE_POSTGRES_IMAGE: "heddle/nowhere:1" })).toMatch(
        /^embedded .* the image heddle\/nowhere:1 is not here; another server: --postgres contain/,
      );
    });

    test("takes the embedded server where no engine answers", async () => {
      expect(await described({ DOCKER_HOST: "unix:///nowhere/docker.sock" })).toMatch(
        /^embedded .* no engine for containers answers; another server/,
      );
    });

    test("does not wait for an engine that never answers", async () => {
      const engine = createServer((socket) => socket.resume()).listen(join(base, "engine"));
      const path = `unix://${join(base, "engine")}`;
      expect(await described({ DOCKER_HOST: path })).toMatch(/^embedded .* containers answers/);
      engine.close();
      await once(engine, "close");
    });
  });
});
