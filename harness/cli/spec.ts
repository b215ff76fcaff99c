import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { HarnessError } from "../core/error.ts";
import { startServer } from "../postgres/provider.ts";
import { compareWithExpected } from "../spec/expected.ts";
import { parseSpec } from "../spec/parse.ts";
import { runSpec } from "../spec/run-spec.ts";
import { EXIT } from "./exit-code.ts";
import { interruption } from "./interruption.ts";

export interface SpecCommandOptions {
  readonly postgres: string;
  readonly reuse?: boolean;
  readonly expected?: string;
  readonly stepTimeout: number;
}

/** `heddle spec`: runs an isolationtester spec, and prints or compares what came of it. */
export async function specCommand(file: string, options: SpecCommandOptions): Promise<number> {
  const { expected } = options;
  const spec = parseSpec(await specText(file), file);
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
      stepTimeoutMs: options.stepTimeout,
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

async function specText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new HarnessError("USAGE", `The spec ${file} cannot be read: check its path.`, { cause });
  }
}
