import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { fuzzParameters } from "../core/fuzz.fixture.ts";
import { EXIT } from "./exit.ts";
import { main } from "./main.ts";

/*
 * Command lines without a sense. None gets as far as its work, since what it works on does not exist:
 * each has to end with a sentence and the exit code of a usage error, or shows the help.
 */

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "heddle-flags-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** Each command with arguments that name nothing. */
const COMMANDS: readonly (readonly string[])[] = [
  ["verify", "no-such-service.mjs"],
  ["run", "no-such-scenario.mjs"],
  ["replay", "no-such-file.json"],
  ["replay", "h1.AAAA"],
  ["regressions", "no-such-service.mjs"],
  ["spec", "no-such.spec"],
  ["mutants", "no-such-service.mjs"],
  ["layers", "no-such-service.mjs"],
  ["attack", "none", "--service", "no-such-service.mjs"],
  ["audit", "--database-url", "postgres://nobody@127.0.0.1:1/none"],
  ["verify-evidence", "no-such-evidence.json"],
  ["report", "--merge", "no-such-folder"],
  ["frobnicate"],
  [],
];

const FLAGS = [
  ...["--seed", "--runs", "--time", "--scenarios", "--shard", "--clients", "--strategy", "--pairs"],
  ...["--preemptions", "--no-reduction", "--check-determinism", "--workers", "--faults", "--gates"],
  ...["--invariants", "--invariant", "--isolation", "--checkers", "--judges", "--postgres"],
  ...["--reuse", "--mutant", "--json", "--redact", "--step-timeout", "--shrink-time", "--fresh"],
  ...["--repeat", "--only", "--derived", "--replays", "--checkers-table", "--iterations"],
  ...["--concurrency", "--check", "--details", "--rows", "--timeout", "--fail-fast", "--step"],
  ...["--service", "--model", "--expected", "--explore", "--prune", "--i-own-this-host", "--bogus"],
];

const text = fc.oneof(
  fc.constantFrom("", "-1", "0", "1e9", "99999999999999999999", "NaN", "1/0", "2-1", "all", "none"),
  fc.constantFrom(
    "/(/",
    "/(a+)+$/",
    "a,,b",
    "__proto__",
    "constructor",
    "--",
    "-",
    "postgres://",
    "'",
  ),
  fc.constantFrom("\u0000", "\u001b[2J", "::error::x", "\ud800", "x".repeat(10_000), "../..", "~"),
  fc.string({ unit: "binary", maxLength: 12 }),
);
const flag = fc.oneof(
  fc.constantFrom(...FLAGS).map((name) => [name]),
  fc.tuple(fc.constantFrom(...FLAGS), text).map(([name, value]) => [name, value]),
  fc.tuple(fc.constantFrom(...FLAGS), text).map(([name, value]) => [`${name}=${value}`]),
);

test("no command line is a bug in Heddle, or controls the terminal", async () => {
  let printed = "";
  const record = (chunk: unknown) => {
    printed += String(chunk);
    return true;
  };
  const spies = [process.stdout, process.stderr].map((stream) =>
    vi.spyOn(stream, "write").mockImplementation(record),
  );
  try {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...COMMANDS),
        fc.array(flag, { maxLength: 5 }),
        async (command, flags) => {
          printed = "";
          const places = ["verify", "run", "mutants", "layers", "attack", "report"];
          const report = places.includes(command[0] ?? "") ? ["--report", folder] : [];
          const code = await main([...command, ...report, ...flags.flat()]);
          expect([EXIT.pass, EXIT.usage, EXIT.diverged]).toContain(code);
          expect(printed).not.toContain("a bug in Heddle");
          // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
          expect(printed).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/);
          expect(printed).not.toMatch(/^[^\S\n]*::(?!stop-commands::|[\w-]{36}::)/m);
        },
      ),
      fuzzParameters(150),
    );
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
});
