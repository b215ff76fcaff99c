import { readFile, writeFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { printed, TestFolder } from "./heddle.fixture.ts";

let place: TestFolder;

beforeEach(async () => {
  place = await TestFolder.make();
});

afterEach(async () => {
  const left = await place.leftovers();
  await place.remove();
  expect(left).toEqual([]);
});

describe("heddle verify", () => {
  test("passes the service without a seeded bug, and writes both reports", async () => {
    const { code, stdout } = await place.heddle("verify", "--seed", "3", "--runs", "60");
    expect(stdout).toContain("No violation in 60 executions");
    expect(code).toBe(0);
    const report = JSON.parse(await readFile(place.path("reports/report.json"), "utf8"));
    expect(report).toMatchObject({ verdict: "pass", seed: 3, executions: 60, violations: 0 });
    expect(await readFile(place.path("reports/report.html"), "utf8")).toContain("<!doctype html>");

    const evidence = await place.heddle("verify-evidence");
    expect(evidence).toMatchObject({ code: 0, stdout: expect.stringContaining("as the evidence") });
    await writeFile(place.path("reports/report.html"), "another");
    const changed = await place.heddle("verify-evidence");
    expect(changed).toMatchObject({ code: 1, stdout: "changed: report.html\n" });
  });

  const same = async (runs: string) => {
    const seen = async (seed: string) => {
      const { stdout } = await place.heddle("verify", "--seed", seed, "--runs", runs, "--json");
      const { timing: _, executionsPerSecond: __, ...rest } = JSON.parse(stdout);
      return rest;
    };
    const first = await seen("11");
    expect(await seen("11")).toEqual(first);
    expect((await seen("12")).digest).not.toBe(first.digest);
  };
  test("gives the same report for the same seed, and another for another seed", () => same("25"));
  test("does so for longer campaigns", { tags: ["nightly"] }, () => same("300"));

  test.each([{ mutant: "check-then-insert", most: 2 }])(
    "catches $mutant with at most $most operations, and replays the counterexample",
    { tags: ["nightly"] },
    async ({ mutant, most }) => {
      const found = await place.heddle("verify", "--mutant", mutant, "--seed", "2");
      expect(found.code).toBe(1);
      const report = JSON.parse(await readFile(place.path("reports/report.json"), "utf8"));
      const [counterexample] = report.counterexamples;
      expect(counterexample.operations).toBeLessThanOrEqual(most);
      const page = await readFile(place.path("reports/report.html"), "utf8");
      expect(page).toContain(`the committed state violates ${counterexample.violation.name}`);

      const again = await place.heddle("replay", counterexample.file, "--repeat", "20", "--json");
      const { violations, ...replayed } = JSON.parse(again.stdout);
      expect(replayed).toMatchObject({ replays: 20, identical: 20, diverged: null });
      // The replay applies all checkers, also those after the first that found a violation.
      expect(violations).toEqual([counterexample.violation, ...counterexample.otherViolations]);
      expect(again.code).toBe(1);
      const byToken = await place.heddle("replay", counterexample.token, "--repeat", "2");
      expect(byToken.stdout).toContain("2 of 2: the same steps");
      expect(byToken.code).toBe(1);

      // Without the seeded bug the replay diverges, which is no pass.
      const file = place.path(counterexample.file);
      const fixed = JSON.parse(await readFile(file, "utf8"));
      await writeFile(file, JSON.stringify({ ...fixed, mutant: null }));
      const other = await place.heddle("replay", counterexample.file);
      expect(other.stdout).toContain("diverged");
      expect(other.code).toBe(3);
    },
  );

  test("is unknown when the time limit is reached before the runs are done", async () => {
    const { code, stdout } = await place.heddle("verify", "--runs", "1000000", "--time", "3s");
    expect(stdout).toMatch(/^UNKNOWN/);
    expect(code).toBe(4);
  });

  test("explores every pair of the service's operations", async () => {
    const { code, stdout } = await place.heddle("verify", "--pairs", "--preemptions", "0");
    expect(stdout).toMatch(/create-http × cancel +2 +– +1\n/);
    expect(code).toBe(0);
    const report = JSON.parse(await readFile(place.path("reports/report.json"), "utf8"));
    expect(report).toMatchObject({ verdict: "pass", strategy: "exhaustive", patterns: [] });
    expect(report.pairs.length).toBe(report.scenarios);
    // Two operations have two orders. A client that sends several has more.
    const orders = report.pairs.map(({ explored }: { explored: number }) => explored);
    expect(Math.min(...orders)).toBe(2);
    expect(report.executions).toBe(orders.reduce((sum: number, of: number) => sum + of, 0));
    expect(report.pairs).toContainEqual({
      name: "cancel × expire",
      explored: 2,
      pruned: null,
      complete: true,
      outcomes: 2,
    });
  });

  test("is unknown when a limit is reached before all pairs are explored", async () => {
    const limits = ["--preemptions", "0", "--runs", "5"];
    const { code, stdout } = await place.heddle("verify", "--pairs", ...limits);
    expect(stdout).toMatch(/^UNKNOWN.*\n.*pairs were not searched to the end/);
    expect(code).toBe(4);
  });

  test("reports what it has done at the first Ctrl-C", async () => {
    const { child, ended } = place.start("verify", "--runs", "1000000");
    await printed(child, "runs/s");
    child.kill("SIGINT");
    const { code, stdout } = await ended;
    expect(stdout).toContain("interrupted before all 1,000,000 executions were");
    expect(code).toBe(130);
    const report = JSON.parse(await readFile(place.path("reports/report.json"), "utf8"));
    expect(report.verdict).toBe("unknown");
  });

  test("ends at once at the second Ctrl-C, and leaves no processes or files", async () => {
    const { child, ended } = place.start("verify", "--runs", "1000000");
    await printed(child, "runs/s");
    child.kill("SIGINT");
    await printed(child, "again to stop");
    child.kill("SIGINT");
    const { code } = await ended;
    expect(code).toBe(130);
    // The reaper cleans up.
    await expect.poll(() => place.leftovers(), { timeout: 10_000 }).toEqual([]);
  });
});
