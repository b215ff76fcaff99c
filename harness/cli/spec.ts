import { basename, resolve } from "node:path";
import { HarnessError } from "../core/error.ts";
import { DEFAULTS } from "../explorer/defaults.ts";
import { compareWithExpected } from "../isolationtester/expected.ts";
import { specName } from "../isolationtester/explore-spec.ts";
import { parseSpec, readText } from "../isolationtester/parse.ts";
import { runSpec } from "../isolationtester/run-spec.ts";
import { schemaChange } from "../isolationtester/transactions.ts";
import { loadService } from "../loading/load-service.ts";
import { startServer } from "../postgres/provider.ts";
import { EXIT } from "./exit-code.ts";
import { interruption } from "./interruption.ts";
import { type VerifyCommandOptions, verifyCommand } from "./verify.ts";

export interface SpecCommandOptions extends Omit<VerifyCommandOptions, "stepTimeout"> {
  readonly expected?: string;
  /** Search all interleavings, and not only those that the spec names. */
  readonly explore?: boolean;
  /** Files with SQL that must return no rows, for the search. */
  readonly invariant: readonly string[];
  readonly stepTimeout?: number;
}

/** The tool's own. */
const STEP_TIMEOUT_MS = 300_000;

/** `heddle spec`: runs an isolationtester spec, and prints or compares what came of it. */
export async function specCommand(file: string, options: SpecCommandOptions): Promise<number> {
  if (options.explore === true) return explore(file, options);
  if (options.invariant.length > 0) {
    throw new HarnessError(
      "USAGE",
      "Invariants are checked by the search: give --explore as well.",
    );
  }
  const { expected } = options;
  const spec = parseSpec(await readText(file, "spec"), file);
  // What cannot be compared is an error before the work, not after it.
  if (expected !== undefined) await readText(expected, "expected file");
  const interrupted = interruption();
  const server = await startServer(options.postgres, { reuse: options.reuse === true });
  let outcome = "";
  try {
    await runSpec(server, spec, {
      name: basename(file, ".spec"),
      print: (text) => {
        outcome += text;
        if (expected === undefined) process.stdout.write(text);
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
    process.stdout.write(`as expected: ${comparison.file}\n`);
    return EXIT.pass;
  }
  process.stdout.write(`--- ${comparison.file}\n+++ outcome\n${comparison.difference}`);
  return EXIT.violation;
}

async function explore(file: string, options: SpecCommandOptions): Promise<number> {
  if (options.expected !== undefined) {
    throw new HarnessError("USAGE", "A search has no expected file: leave out --expected.");
  }
  if (options.faults.includes("give-up")) {
    throw new HarnessError(
      "USAGE",
      "A session of a spec waits for each answer, and cannot give up: give --faults connection.",
    );
  }
  const service = await loadService(specName(file, options.invariant));
  const change = schemaChange(parseSpec(await readText(file, "spec"), file));
  const inner = options.gates.length > 1;
  if (change !== undefined && inner) {
    process.stderr.write(
      `${change.name} may change the schema, so each execution has a new one: gates between statements only\n`,
    );
  }
  return verifyCommand(service, resolve(file), {
    ...options,
    invariant: [],
    gates: change === undefined ? options.gates : ["statement"],
    stepTimeout: options.stepTimeout ?? DEFAULTS.stepTimeoutMs,
  });
}
