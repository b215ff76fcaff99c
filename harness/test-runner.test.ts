import { expect, test } from "vitest";
import { ConcurrencyTests } from "./test-runner.ts";

/** Collects tests, and executes none by itself. */
function collected() {
  const tests = new Map<string, () => Promise<void>>();
  const ends: (() => Promise<void>)[] = [];
  const runner = new ConcurrencyTests({
    describe: (_, define) => define(),
    test: (name, _, work) => tests.set(name, () => work(new AbortController().signal)),
    afterAll: (work) => ends.push(work),
    file: () => "/tmp/a.test.ts",
    again: () => "",
  });
  return { runner, tests, end: () => Promise.all(ends.map((end) => end())) };
}

test("each test is executed on the server that it names", async () => {
  const { runner, tests, end } = collected();
  // No server listens on these ports.
  const scenario = { setup: "select 1", clients: { ada: async () => {} } };
  for (const port of [1, 2, 1]) {
    const postgres = `postgres://nobody@127.0.0.1:${port}/none`;
    runner.interleaved(`${port} ${tests.size}`, scenario, { postgres });
  }
  const failures = [...tests.values()].map((work) => work().catch(String));
  expect(await Promise.all(failures)).toEqual(
    [1, 2, 1].map((port) => expect.stringContaining(`127.0.0.1:${port}`)),
  );
  // They have failed their tests already.
  await end();
});
