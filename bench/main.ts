import { parseArgs } from "node:util";
import { GATE_NAMES, GATES, type GateName } from "../harness/core/control.ts";
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
  control: () => control(gates),
  isolationtester,
  linearizability: linearizabilityBenchmark,
  replay: replayBenchmark,
  socket,
  step,
  stress,
  workers,
};

const USAGE = `usage: npm run bench -- NAME [--json] [--gates KIND,…]
NAME is one of: ${Object.keys(benchmarks).join(", ")}
--gates is for control: the kinds of gates besides statement, or all
`;

/** The kinds that are named; undefined if one of them is none. */
function gatesNamed(text: string): readonly GateName[] | undefined {
  if (text === "all") return GATE_NAMES;
  const names = text.split(",").filter((name) => name !== "");
  return names.every((name): name is GateName => Object.hasOwn(GATES, name)) ? names : undefined;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  strict: false,
  options: { json: { type: "boolean" }, gates: { type: "string" } },
});
const [name = "", ...others] = positionals;
const unknown = Object.keys(values).some((flag) => flag !== "json" && flag !== "gates");
const named = gatesNamed(typeof values["gates"] === "string" ? values["gates"] : "");
const gates = named ?? [];
const run = benchmarks[name];
const misused = values["gates"] !== undefined && name !== "control";
if (run === undefined || named === undefined || others.length > 0 || unknown || misused) {
  process.stderr.write(USAGE);
  process.exitCode = 2;
} else {
  try {
    const result = await run();
    if (values["json"] !== true) process.stderr.write(`${result.compared}\n`);
    process.stdout.write(`${JSON.stringify(result)}\n`);
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 2;
  }
}
