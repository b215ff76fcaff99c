import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { GATE_NAMES, GATES, type GateName } from "../../harness/core/control.ts";
import { HarnessError } from "../../harness/core/error.ts";
import { startServer } from "../../harness/postgres/provider.ts";
import { DEFAULT_OPTIONS } from "./inclusion.ts";
import { KNOWN_GAPS, scenarioFileOf } from "./inclusion-case.ts";
import {
  checkInclusion,
  type InclusionFailure,
  type InclusionTotals,
  type PropertyOptions,
} from "./property.ts";
import { totalsOfShards } from "./shards.ts";

const USAGE = `usage: npm run inclusion -- [options]
  --time 10m        how long to go on
  --seed N          the seed of the scenarios (default: 1)
  --cases N         the most scenarios (default: as many as there is time for)
  --from N          the number of the first scenario (default: 0)
  --runs N          uncontrolled runs of each scenario (default: ${DEFAULT_OPTIONS.runs})
  --budget N        the most executions of one search (default: ${DEFAULT_OPTIONS.budget})
  --workers N       the number of processes (default: 1)
  --without KIND    the kind of gate to leave out, to see that the property notices
  --fail-fast       end at the first hole
  --shrink 60s      how long to shrink one hole
  --out FOLDER      where scenario files go (default: reports/inclusion)
`;

const { values } = parseArgs({
  options: {
    time: { type: "string", default: "10m" },
    seed: { type: "string", default: "1" },
    cases: { type: "string", default: "Infinity" },
    from: { type: "string", default: "0" },
    runs: { type: "string", default: String(DEFAULT_OPTIONS.runs) },
    budget: { type: "string", default: String(DEFAULT_OPTIONS.budget) },
    workers: { type: "string", default: "1" },
    without: { type: "string", multiple: true, default: [] },
    "fail-fast": { type: "boolean", default: false },
    shrink: { type: "string", default: "60s" },
    out: { type: "string", default: "reports/inclusion" },
    /** Of a process that another one has started: its part of the scenarios, such as `1/2`. */
    shard: { type: "string" },
  },
});

function durationMs(text: string): number {
  const [, count, unit = "s"] = /^(\d+)(s|m|h)?$/.exec(text) ?? [];
  if (count === undefined) throw new HarnessError("USAGE", `${text} is no duration\n${USAGE}`);
  return Number(count) * { s: 1_000, m: 60_000, h: 3_600_000 }[unit as "s" | "m" | "h"];
}

function numberIn(text: string): number {
  if (!/^(\d+|Infinity)$/.test(text)) {
    throw new HarnessError("USAGE", `${text} is no number\n${USAGE}`);
  }
  return Number(text);
}

function gatesWithout(names: readonly string[]): readonly GateName[] {
  const unknown = names.find((name) => !(name in GATES) || name === "statement");
  if (unknown !== undefined) {
    throw new HarnessError("USAGE", `there is no kind of gate "${unknown}" to leave out\n${USAGE}`);
  }
  return GATE_NAMES.filter((name) => !names.includes(name));
}

function optionsOf(): PropertyOptions {
  const [index = 0, of = 1] = (values.shard ?? "0/1").split("/").map(Number);
  return {
    ...DEFAULT_OPTIONS,
    seed: numberIn(values.seed),
    gates: gatesWithout(values.without),
    runs: numberIn(values.runs),
    budget: numberIn(values.budget),
    timeMs: durationMs(values.time),
    first: numberIn(values.from),
    cases: numberIn(values.cases),
    shard: { index, of },
    failFast: values["fail-fast"],
    shrinkMs: durationMs(values.shrink),
  };
}

/** Runs the property in this process. */
async function run(options: PropertyOptions): Promise<InclusionTotals> {
  const server = await startServer("embedded");
  const files: Promise<void>[] = [];
  try {
    const totals = await checkInclusion(
      server,
      options,
      (number, { verdict, executions, outcomes, missed, lacking = "" }) => {
        process.stderr.write(
          `${number}: ${verdict} ${lacking} (${executions} executions, ${outcomes} outcomes, ${missed.length} missed, ${Math.round(performance.now() / 1_000)} s)\n`,
        );
      },
      (failure) => files.push(write(failure, options)),
    );
    await Promise.all(files);
    return totals;
  } finally {
    await server.stop();
  }
}

async function write(failure: InclusionFailure, { seed }: PropertyOptions): Promise<void> {
  const { number, gap, shrunk, shrunkResult } = failure;
  const { missed, lacking, error, verdict } = shrunkResult;
  const file = join(values.out, `seed-${seed}-case-${number}.mjs`);
  const why = [gap && `known gap: ${gap}`, lacking && `lacking: ${lacking}`, error];
  const comment = [
    `Seed ${seed}, case ${number}: ${verdict}; ${why.filter(Boolean).join("; ")}`,
    ...missed.slice(0, 3).map((outcome) => `missed: ${outcome}`),
  ];
  await mkdir(values.out, { recursive: true });
  const lines = comment.map((line) => `// ${line.replaceAll("\n", " ")}\n`).join("");
  await writeFile(file, lines + scenarioFileOf(shrunk));
  process.stderr.write(`${gap === undefined ? "HOLE" : "known gap"}: ${file}\n${lines}`);
}

function reportOf(totals: InclusionTotals): string {
  const n = (count: number) => count.toLocaleString("en");
  const gaps = KNOWN_GAPS.map(({ name }) => `${name} (${totals.gaps[name] ?? 0})`).join(", ");
  const first =
    totals.firstHoleMs === undefined
      ? ""
      : `, the first after ${(totals.firstHoleMs / 1_000).toFixed(0)} s`;
  return `${n(totals.scenarios)} scenarios, ${n(totals.executions)} executions, ${n(totals.runs)} uncontrolled runs
${n(totals.outcomes)} outcomes compared in ${n(totals.scenarios - totals.open - totals.alike - totals.failed)} scenarios, ${n(totals.included)} of them without a missing one
${n(totals.possible)} of them where only a search without reduction has found all, within its budget
${n(totals.holes)} holes${first}
not compared: ${n(totals.alike)} scenarios with one outcome, ${n(totals.open)} whose searches reached their budget, ${n(totals.failed)} that failed
known gaps (holes counted apart): ${gaps}
gates switched off: ${values.without.join(", ") || "none"}
`;
}

try {
  const workers = numberIn(values.workers);
  const options = optionsOf();
  const totals =
    values.shard === undefined && workers > 1
      ? await totalsOfShards(workers, process.argv.slice(1))
      : await run(options);
  process.stdout.write(
    values.shard === undefined ? reportOf(totals) : `${JSON.stringify(totals)}\n`,
  );
  process.exitCode = totals.holes + totals.failed > 0 ? 1 : 0;
} catch (error) {
  if (!(error instanceof HarnessError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
