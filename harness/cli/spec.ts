import { basename, resolve } from "node:path";
import type { Command } from "commander";
import { HarnessError } from "../core/error.ts";
import { DEFAULTS } from "../explorer/defaults.ts";
import { compareWithExpected } from "../isolationtester/expected.ts";
import { specName } from "../isolationtester/explore-spec.ts";
import { parseSpec, readText } from "../isolationtester/parse.ts";
import { runSpec } from "../isolationtester/run-spec.ts";
import { schemaChange } from "../isolationtester/transactions.ts";
import { loadService } from "../loading/load-service.ts";
import { startServer } from "../postgres/provider.ts";
import { EXIT, interruption } from "./exit.ts";
import { durationMs } from "./options.ts";
import { print } from "./output.ts";
import { addCampaignOptions, type CampaignCommandOptions, runCampaign } from "./verify.ts";
import { requireFolder } from "./writable.ts";

interface Options extends Omit<CampaignCommandOptions, "stepTimeout"> {
  readonly expected?: string;
  /** Explore all interleavings, and not only the spec's permutations. */
  readonly explore?: boolean;
  /** Files with queries that must return no rows, for the exploration. */
  readonly invariant?: readonly string[];
  readonly stepTimeout?: number;
}

/** `heddle spec`: runs an isolationtester spec, and prints its output or compares it. */
export function addSpec(command: Command, finished: (exitCode: number) => void): void {
  command
    .argument("<file>", "a .spec file")
    .option("--expected <file>", "compare with this file or a variant of it, instead of printing")
    .option("--explore", "explore all interleavings of the sessions, and check each execution")
    .option("--invariant <file...>", "with --explore: queries that must return no rows")
    .option(
      "--step-timeout <duration>",
      "the time limit of one step (default: 300s; with --explore, 10s)",
      durationMs,
    );
  addCampaignOptions(command).action(async (file: string, options: Options) => {
    finished(await runCommand(file, options));
  });
}

/** isolationtester's own limit. */
const STEP_TIMEOUT_MS = 300_000;

async function runCommand(file: string, options: Options): Promise<number> {
  if (options.explore === true) return explore(file, options);
  if (options.invariant !== undefined) {
    throw new HarnessError(
      "USAGE",
      "--invariant needs --explore: only an exploration checks invariants",
    );
  }
  const { expected } = options;
  const spec = parseSpec(await readText(file, "spec"), file);
  // A file that cannot be read is an error before the run, not after it.
  if (expected !== undefined) await readText(expected, "expected file");
  const interrupted = interruption();
  const server = await startServer(options.postgres, { reuse: options.reuse === true });
  let outcome = "";
  try {
    await runSpec(server, spec, {
      name: basename(file, ".spec"),
      print: (text) => {
        outcome += text;
        if (expected === undefined) print(text);
      },
      stepTimeoutMs: options.stepTimeout ?? STEP_TIMEOUT_MS,
      signal: interrupted.signal,
    });
  } finally {
    await server.stop();
    interrupted.end();
  }
  if (expected === undefined) return EXIT.pass;
  const comparison = await compareWithExpected(outcome, expected);
  if (comparison.difference === "") {
    print(`as expected: ${comparison.file}\n`);
    return EXIT.pass;
  }
  print(`--- ${comparison.file}\n+++ outcome\n${comparison.difference}`);
  return EXIT.violation;
}

async function explore(file: string, options: Options): Promise<number> {
  if (options.expected !== undefined) {
    throw new HarnessError("USAGE", "--explore has no expected output: leave out --expected");
  }
  if (options.faults.includes("give-up")) {
    throw new HarnessError(
      "USAGE",
      "a session of a spec waits for every answer, and cannot give up: give --faults connection",
    );
  }
  await requireFolder(options.report, "--report");
  const service = await loadService(specName(file, options.invariant ?? []));
  const change = schemaChange(parseSpec(await readText(file, "spec"), file));
  if (change !== undefined && options.gates.length > 1) {
    process.stderr.write(
      `${change.name} may change the schema, so each execution gets a new one, with gates between statements only\n`,
    );
  }
  return runCampaign(service, resolve(file), {
    ...options,
    invariant: [],
    gates: change === undefined ? options.gates : ["statement"],
    stepTimeout: options.stepTimeout ?? DEFAULTS.stepTimeoutMs,
  });
}
