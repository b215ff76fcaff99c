import type { Benchmark } from "./benchmark.ts";
import { control } from "./control.ts";

/** The benchmarks by name; each in a file of that name. */
const benchmarks: { readonly [name: string]: () => Promise<Benchmark> } = { control };

const [name = "", ...flags] = process.argv.slice(2);
const run = benchmarks[name];
if (run === undefined || flags.some((flag) => flag !== "--json")) {
  process.stderr.write(`usage: npm run bench -- NAME [--json]\n`);
  process.stderr.write(`NAME is one of: ${Object.keys(benchmarks).join(", ")}\n`);
  process.exitCode = 2;
} else {
  const result = await run();
  if (!flags.includes("--json")) process.stderr.write(`${result.compared}\n`);
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
