import { expect, test } from "vitest";
import { runAs } from "./os-user.ts";

test("a program that succeeds is silent, and its process is told", async () => {
  const pids: number[] = [];
  await runAs(undefined, process.execPath, ["-e", "console.log('done')"], (pid) => pids.push(pid));
  expect(pids).toEqual([expect.any(Number)]);
});

test("a program that fails is quoted", async () => {
  const script = "console.log('half'); console.error('no space left'); process.exit(3)";
  await expect(runAs(undefined, process.execPath, ["-e", script])).rejects.toMatchObject({
    code: "PROVIDER_FAILED",
    message: expect.stringMatching(/failed: it ended with exit code 3\..*(half|no space left)/s),
  });
});

test("a program that is killed, and one that is not there", async () => {
  const script = "process.kill(process.pid, 'SIGKILL')";
  await expect(runAs(undefined, process.execPath, ["-e", script])).rejects.toThrow(
    /it ended with SIGKILL\. What it said: nothing/,
  );
  await expect(runAs(undefined, "/nowhere/initdb", [])).rejects.toThrow(
    /ENOENT \(or it needs glibc/,
  );
});

test("a program gets nothing of our environment that it does not need", async () => {
  process.env["HEDDLE_TEST_SECRET"] = "secret";
  const script = "process.exit(process.env.HEDDLE_TEST_SECRET ? 1 : 0)";
  await runAs(undefined, process.execPath, ["-e", script]);
  delete process.env["HEDDLE_TEST_SECRET"];
});
