import { mkdtemp, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  type HarnessProcess,
  processes,
  reaperOf,
  startHarness,
} from "../harness-process.fixture.ts";
import { baseFolder } from "../run-folder.ts";
import { describeContainers, inventory, testContainer } from "./container.fixture.ts";

describeContainers("a killed harness with a container", () => {
  let base: string;
  let before: Awaited<ReturnType<typeof inventory>>;
  beforeEach(async () => {
    base = await mkdtemp(join(await baseFolder(undefined), "hk-"));
    before = await inventory();
  });
  afterEach(async () => {
    expect(await inventory()).toEqual(before);
    expect(await readdir(base)).toEqual([]);
    expect(ourProcesses()).toEqual([]);
    await rm(base, { recursive: true });
  });

  const start = () => startHarness(testContainer, { env: { TMPDIR: base } });
  const ourProcesses = () => processes().filter(({ command }) => command.includes(base));
  const isAlive = (pid: number) => processes().some((process) => process.pid === pid);

  async function kill(harness: HarnessProcess): Promise<void> {
    process.kill(harness.pid, "SIGKILL");
    expect(await harness.ended).toBe("SIGKILL");
  }

  async function stop(harness: HarnessProcess): Promise<void> {
    await harness.started;
    harness.child.stdin?.end();
    expect(await harness.ended).toBe(0);
  }

  async function end(pid: number): Promise<void> {
    await expect.poll(() => isAlive(pid), { timeout: 20_000, interval: 20 }).toBe(false);
  }

  test("leaves nothing, since the reaper removes the container", async () => {
    const harness = start();
    await harness.started;
    const reaper = reaperOf(harness.pid);
    expect((await inventory()).containers).toHaveLength(before.containers.length + 1);
    await kill(harness);
    await end(reaper);
  });

  test("leaves nothing if its server is paused", async () => {
    const harness = start();
    const { folder } = await harness.started;
    const reaper = reaperOf(harness.pid);
    const { openEngine } = await import("./engine.ts");
    const { api } = await openEngine();
    const [found] = await api.listContainers({
      filters: { label: [`heddle.folder=${join(folder, "..")}`] },
    });
    await api.getContainer(found?.Id ?? "").pause();
    await kill(harness);
    await end(reaper);
  });

  test("leaves a container to the next start if its reaper is killed too", async () => {
    const [dead, living] = [start(), start()];
    await Promise.all([dead.started, living.started]);
    for (const { pid } of [dead, living]) process.kill(reaperOf(pid), "SIGKILL");
    await kill(dead);
    expect((await inventory()).containers).toHaveLength(before.containers.length + 2);
    const next = start();
    await next.started;
    // The containers of `living` and of `next`.
    expect((await inventory()).containers).toHaveLength(before.containers.length + 2);
    await stop(next);
    await stop(living);
  });

  test(
    "leaves nothing after the next start, killed at 20 moments with its reaper or without",
    {
      timeout: 180_000,
    },
    async () => {
      // From before the container is requested until after it is ready.
      const moments = Array.from({ length: 20 }, (_, index) => 400 + ((index * 619) % 2_400));
      const tasks = [0, 1].map(async (task) => {
        for (const [index, ms] of moments.entries()) {
          if (index % 2 !== task) continue;
          const harness = start();
          await delay(ms);
          const reapers = processes().filter(({ parent }) => parent === harness.pid);
          if (index % 4 < 2) for (const { pid } of reapers) process.kill(pid, "SIGKILL");
          await kill(harness);
          for (const { pid } of reapers) await end(pid);
        }
      });
      await Promise.all(tasks);
      await stop(start());
    },
  );
});
