import { HarnessError } from "../harness/core/error.ts";
import { auditBenchmark } from "./audit.ts";
import type { Benchmark } from "./benchmark.ts";
import { control } from "./control.ts";
import { isolationtester } from "./isolationtester.ts";
import { linearizabilityBenchmark } from "./linearizability.ts";
import { replayBenchmark } from "./replay.ts";
import { socket } from "./socket.ts";
import { step } from "./step.ts";
import { stress } from "./stress.ts";
import { workers } from "./workers.ts";

/** The benchmarks by name. Each has a file of the same name. */
const benchmarks: { readonly [name: string]: () => Promise<Benchmark> } = {
  audit: auditBenchmark,
  control,
  isolationtester,
  linearizability: linearizabilityBenchmark,
  replay: replayBenchmark,
  socket,
  step,
  stress,
  workers,
};

const [name = "", ...flags] = process.argv.slice(2);
const run = benchmarks[name];
if (run === undefined || flags.some((flag) => flag !== "--json")) {
  process.stderr.write(`usage: npm run bench -- NAME [--json]\n`);
  process.stderr.write(`NAME is one of: ${Object.keys(benchmarks).join(", ")}\n`);
  process.exitCode = 2;
} else {
  try {
    const result = await run();
    if (!flags.includes("--json")) process.stderr.write(`${result.compared}\n`);
    process.stdout.write(`${JSON.stringify(result)}\n`);
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 2;
  }
}
