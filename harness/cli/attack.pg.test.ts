import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { withClient } from "../postgres/connection.ts";
import { TestFolder } from "./heddle.fixture.ts";

const DEMO = fileURLToPath(new URL("../../models/booking/demo.ts", import.meta.url));
const SLOW_INSERT = `
  create function wait() returns trigger language plpgsql as $$ begin perform pg_sleep(0.05); return new; end $$;
  create trigger wait before insert on bookings for each row execute function wait()`;
const stops: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** Starts the service as `npm start` does. */
async function started(env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, [DEMO], {
    env: { ...process.env, PORT: "0", ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const closed = once(child, "close");
  stops.push(async () => {
    child.kill("SIGINT");
    await closed;
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  while (!output.includes("Ctrl-C") && child.exitCode === null) await once(child.stdout, "data");
  const url = /http:\/\/127\.0\.0\.1:\d+/.exec(output)?.[0] ?? "";
  const databaseUrl = /--database-url '([^']+)'/.exec(output)?.[1] ?? "";
  const free = async () =>
    ((await (await fetch(`${url}/api/vendors/1/slots`)).json()) as { slots: unknown[] }).slots;
  return { url, databaseUrl, free };
}

async function attack(...args: string[]) {
  const place = await TestFolder.make();
  stops.push(() => place.remove());
  return place.heddle("attack", "sc1", ...args);
}

test("one client gets each slot, over HTTP and by the function, and the attack cleans up", async () => {
  const { url, databaseUrl, free } = await started();
  const before = await free();
  const both = await attack("--target-url", url, "--database-url", databaseUrl);
  expect(both.stderr).toBe("");
  expect(both.stdout).toContain("No violation in 100 rounds");
  expect(both.stdout).toMatch(/create by function: median [\d.]+ ms/);
  expect(both.code).toBe(0);
  const blackBox = await attack("--target-url", url, "--iterations", "10");
  expect(blackBox.code).toBe(0);
  expect(await free()).toEqual(before);
});

test("without locks and constraints two clients get a slot, which is a violation", async () => {
  const { url, databaseUrl } = await started({ MUTANT: "claim-without-lock-or-constraints" });
  // The check and the insert are far enough apart that two requests meet between them.
  await withClient(databaseUrl, (client) => client.query(SLOW_INSERT));
  const { code, stdout } = await attack(
    ...["--target-url", url, "--database-url", databaseUrl, "--iterations", "20"],
  );
  expect(stdout).toContain("one_winner");
  expect(code).toBe(1);
});

test.each([
  ["another host", ["--target-url", "http://example.com"], "--i-own-this-host example.com"],
  ["another database", ["--database-url", "postgres://example.com/x"], "example.com is not this"],
  ["no URL", ["--target-url", "example"], "is no URL"],
])("%s is refused", async (_, args, says) => {
  const { code, stderr } = await attack(...args);
  expect(stderr).toContain(says);
  expect(code).toBe(2);
});

test("a service that does not answer is an error", async () => {
  const { code, stderr } = await attack("--target-url", "http://127.0.0.1:1");
  expect(stderr).toContain("does not answer");
  expect(code).toBe(4);
});
