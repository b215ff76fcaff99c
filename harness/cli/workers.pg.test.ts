import type { ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { verify } from "../explorer/verify.ts";
import { loadService } from "../loading/load-service.ts";
import { processes } from "../postgres/harness-process.fixture.ts";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { printed, TestFolder } from "./heddle.fixture.ts";

const MODEL = fileURLToPath(new URL("../../models/booking/index.ts", import.meta.url));
const booking = await loadService(MODEL);

function workersOf({ pid }: Pick<ChildProcess, "pid">): number[] {
  return processes()
    .filter(({ parent, command }) => parent === pid && command.includes("explorer/worker."))
    .map((worker) => worker.pid);
}

describe("with a second process", () => {
  let server: Server;

  beforeAll(async () => {
    server = await startServer(testPostgres);
  });

  afterAll(() => server.stop());

  test("a campaign finds the same, and returns the leases of that process", async () => {
    const options = { seed: 1, pairs: true, mutant: "check-then-insert" };
    const alone = await verify(server, booking, options);
    let seen = 0;
    const together = await verify(server, booking, {
      ...options,
      workers: { count: 2, serviceFile: MODEL, joinMs: 0 },
      onProgress: () => {
        seen ||= workersOf(process).length;
      },
    });
    expect(seen).toBe(1);
    expect(alone.campaign.verdict).toBe("fail");
    const { digest, executions, counterexamples } = alone.campaign;
    expect(together.campaign).toMatchObject({ digest, executions, counterexamples });
    expect(workersOf(process)).toEqual([]);
  });

  test("a service that the process cannot load is no pass", async () => {
    const { campaign, error } = await verify(server, booking, {
      seed: 1,
      runs: 100_000,
      workers: { count: 2, serviceFile: "/nowhere/index.ts", joinMs: 0 },
    });
    expect(campaign.verdict).toBe("unknown");
    expect(error?.message).toContain("/nowhere/index.ts");
  });
});

describe("no process and no file is left", () => {
  let place: TestFolder;

  beforeEach(async () => {
    place = await TestFolder.make();
  });

  afterEach(() => place.remove());

  async function campaign() {
    const { child, ended } = place.start("verify", "--runs", "1000000", "--workers", "2");
    await printed(child, "runs/s");
    await expect.poll(() => workersOf(child).length, { timeout: 20_000 }).toBe(1);
    const workers = workersOf(child);
    const alive = () => processes().filter(({ pid }) => workers.includes(pid));
    return { child, ended, workers, alive };
  }

  test("when a worker process is killed, which is no pass", async () => {
    const { ended, workers } = await campaign();
    for (const pid of workers) process.kill(pid, "SIGKILL");
    const { code, stdout } = await ended;
    expect(stdout).toMatch(/^UNKNOWN/);
    expect(stdout).toMatch(/worker\s+process\s+ended\s+\(SIGKILL\)/);
    expect(code).toBe(4);
    expect(await place.leftovers()).toEqual([]);
  });

  test("when the main process is killed", async () => {
    const { child, ended, alive } = await campaign();
    child.kill("SIGKILL");
    await ended;
    await expect.poll(alive, { timeout: 10_000 }).toEqual([]);
    await expect.poll(() => place.leftovers(), { timeout: 10_000 }).toEqual([]);
  });

  test("at a Ctrl-C, which signals all processes", async () => {
    const { child, ended, workers, alive } = await campaign();
    for (const pid of workers) process.kill(pid, "SIGINT");
    child.kill("SIGINT");
    const { code, stdout } = await ended;
    expect(stdout).toContain("interrupted before all 1,000,000 executions were");
    expect(code).toBe(130);
    expect(alive()).toEqual([]);
    expect(await place.leftovers()).toEqual([]);
  });
});
