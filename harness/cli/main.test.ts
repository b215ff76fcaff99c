import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { expect, test, vi } from "vitest";
import { COMMANDS, main } from "./main.ts";
import { seedFromCommit } from "./verify.ts";

const BIN = fileURLToPath(new URL("../../bin/heddle.js", import.meta.url));

/** A module for `--import` that refuses to load the database driver. */
const WITHOUT_PG = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from "node:module";
  registerHooks({
    resolve(name, context, next) {
      if (name === "pg") throw new Error("the driver is loaded");
      return next(name, context);
    },
  });`)}`;

const heddle = (...args: string[]) =>
  execFileSync(process.execPath, ["--import", WITHOUT_PG, BIN, ...args], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });

test("--help lists the commands without loading a database driver", () => {
  const help = heddle("--help");
  for (const [usage] of COMMANDS) expect(help).toContain(`\n  ${usage}`);
  expect(() => heddle("audit", "--help")).toThrow("the driver is loaded");
});

test.each(COMMANDS)("the usage is that of the command's options: %s", async (usage, _, load) => {
  const [name = "", ...rest] = usage.split(" ");
  const command = new Command(name);
  (await load())(command, () => {});
  const hasOptions = command.options.length > 0;
  expect(rest.join(" ")).toBe(
    hasOptions ? command.usage() : command.usage().replace(/^\[options\] ?/, ""),
  );
});

test.each([
  ["verify", ["--judges", "contract,invariant"], "checkers", ["invariant", "contract"]],
  ["run", ["--judges", "leaks", "a.mjs"], "checkers", ["leaks"]],
  ["replay", ["--model", "a.ts", "h2.x"], "service", "a.ts"],
  ["attack", ["--model", "a.ts"], "service", "a.ts"],
])("%s takes %j, an earlier name that the help does not list", async (name, args, option, value) => {
  const load = COMMANDS.find(([usage]) => usage.startsWith(`${name} `))?.[2];
  const command = new Command(name);
  (await load?.())?.(command, () => {});
  command.action(() => {});
  await command.parseAsync(args, { from: "user" });
  expect(command.getOptionValue(option)).toEqual(value);
  expect(command.helpInformation()).not.toContain(args[0]);
});

test("a commit has one seed, a 32-bit integer", async () => {
  const seed = await seedFromCommit();
  expect(seed).toBe(seed | 0);
  expect(await seedFromCommit()).toBe(seed);
});

test("a folder for temporary files that cannot be used is a clear error", async () => {
  vi.stubEnv("TMPDIR", "/proc");
  const stderr = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  try {
    expect(await main(["proxy", "--database-url", "postgres://localhost/x"])).toBe(2);
    expect(stderr.mock.calls.join("")).toContain("set TMPDIR to another folder");
  } finally {
    stderr.mockRestore();
    vi.unstubAllEnvs();
  }
});
