import { spawn } from "node:child_process";
import { once } from "node:events";
import { glob, open, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { HarnessError } from "../harness/core/error.ts";
import { Executor } from "../harness/execution/executor.ts";
import { parseSpec } from "../harness/isolationtester/parse.ts";
import { runSpec } from "../harness/isolationtester/run-spec.ts";
import { startServer } from "../harness/postgres/provider.ts";
import type { Database, Server } from "../harness/postgres/server.ts";
import { type BenchComparison, type Benchmark, mediansInTurns } from "./benchmark.ts";
import { BLOCKING, PLAIN } from "./isolation-specs.ts";
import {
  executePermutation,
  type PermutationOutcome,
  permutationCount,
  possiblePermutations,
  stepsOf,
} from "./permutations.ts";
import {
  type BenchSession,
  connected,
  OPTIONS,
  type SessionSpec,
  sessionSetup,
} from "./sessions.ts";
import { differenceOfOutputs, readOutput, specFile } from "./tester-files.ts";

const ROUNDS = 5;
/** Permutations in a round: enough that the start of isolationtester (20 ms) counts little. */
const PER_ROUND = { waiting: 72, plain: 756 };
/** Numbers of concurrent controlled executions, each in a database of its own. */
const AT_ONCE = [1, 4];
/** The case in which `heddle spec` reads the same file as isolationtester, without control. */
const SPEC = "heddle spec";

const PROGRAM = "/usr/lib/postgresql/*/lib/pgxs/src/test/isolation/isolationtester";

type Run = Awaited<ReturnType<typeof possiblePermutations>>[number];

/** The permutations of a spec that are timed, and their number in a round. */
interface Selection {
  readonly spec: SessionSpec;
  readonly perRound: number;
  readonly timed: (run: Run) => boolean;
}

interface Measured {
  readonly name: string;
  /** How Heddle ran the permutations. */
  readonly by: string;
  readonly possible: number;
  readonly impossible: number;
  readonly timed: number;
  /** The median time of a round, in ms. */
  readonly ms: { readonly ours: number; readonly theirs: number };
}

const SELECTIONS: readonly Selection[] = [
  ...BLOCKING.map((spec) => ({
    spec,
    perRound: PER_ROUND.waiting,
    timed: ({ outcome }: Run) => outcome.waited.length > 0,
  })),
  ...PLAIN.map((spec) => ({ spec, perRound: PER_ROUND.plain, timed: () => true })),
];

/** The same permutations of the same sessions, run by Heddle and by PostgreSQL's isolationtester. */
export async function isolationtester(): Promise<Benchmark> {
  const program = await installed();
  const server = await startServer("embedded");
  try {
    const all: Measured[] = [];
    for (const selection of SELECTIONS) all.push(...(await measure(server, program, selection)));
    const most = all.filter(({ by }) => by === atOnce(Math.max(...AT_ONCE)));
    const blocking = most.filter(({ name }) => BLOCKING.some((spec) => spec.name === name));
    const sum = (field: "possible" | "impossible") =>
      most.reduce((total, one) => total + one[field], 0);
    return {
      ...comparison("isolationtester", blocking),
      unit: "permutations/s",
      compared:
        `Heddle against ${program} on one embedded PostgreSQL ${server.version} over its Unix ` +
        "socket, in turns: the same sessions, setup, teardown and permutations. Answers, waits and " +
        `final rows were the same in all ${sum("possible")} permutations. \`gated\` is an execution as ` +
        "a search makes it: Heddle holds every statement and explains every wait. `at once` means " +
        "concurrent executions in one process, each on a database of its own; isolationtester runs " +
        "its permutations in sequence. The headline is the highest concurrency, for the specs in " +
        `which a step waits. \`${SPEC}\` reads the same file as isolationtester and prints the ` +
        "same output, except for the order of steps that wait at the same time. " +
        `${sum("impossible")} further permutations were left out: a session would have to make a ` +
        "step while it waits for a lock, which takes isolationtester from 1 to 300 s each",
      cases: all.map((one) => comparison(`${one.name} (${one.by})`, [one])),
    };
  } finally {
    await server.stop();
  }
}

function comparison(name: string, parts: readonly Measured[]): BenchComparison {
  const sum = (of: (one: Measured) => number) => parts.reduce((total, one) => total + of(one), 0);
  const permutations = sum((one) => one.timed);
  const ours = (permutations * 1_000) / sum((one) => one.ms.ours);
  const theirs = (permutations * 1_000) / sum((one) => one.ms.theirs);
  return { name, ours, theirs, ratio: ours / theirs };
}

async function measure(
  server: Server,
  program: string,
  { spec, perRound, timed }: Selection,
): Promise<Measured[]> {
  const setup = sessionSetup(spec);
  const executors: Executor<null, BenchSession>[] = [];
  while (executors.length < Math.max(...AT_ONCE)) {
    executors.push(await Executor.open(server, setup, OPTIONS));
  }
  const [first] = executors;
  if (first === undefined) throw new Error("there is no executor");
  const database = await plainDatabase(server, spec);
  const file = join(server.folder, "permutations.spec");
  const output = join(server.folder, "permutations.out");
  const theirs = () => runTester(program, database.url, file, output);

  const possible = await possiblePermutations(first, spec);
  const all = specFile(
    spec,
    possible.map(({ permutation }) => permutation),
  );
  await writeFile(file, all);
  await theirs();
  const printed = await readFile(output, "utf8");
  requireSame(spec, possible, readOutput(printed));
  const difference = differenceOfOutputs(printed, await runOurSpec(server, database, all));
  if (difference !== "") throw new Error(`"${spec.name}", by heddle spec:\n${difference}`);

  const round = spread(possible.filter(timed), perRound).map(({ permutation }) => permutation);
  const text = specFile(spec, round);
  await writeFile(file, text);
  const gated = async (atOnce: number) => {
    const next = round.values();
    const work = async (executor: Executor<null, BenchSession>) => {
      for (const permutation of next) await executePermutation(executor, spec, permutation);
    };
    await Promise.all(executors.slice(0, atOnce).map(work));
  };
  const variants = new Map<string, () => Promise<unknown>>([
    [SPEC, () => runOurSpec(server, database, text)],
    ...AT_ONCE.map((count) => [atOnce(count), () => gated(count)] as const),
  ]);
  const measured: Measured[] = [];
  for (const [by, ours] of variants) {
    measured.push({
      name: spec.name,
      by,
      possible: possible.length,
      impossible: permutationCount(spec) - possible.length,
      timed: round.length,
      ms: await mediansInTurns(ROUNDS, async () => void (await ours()), theirs),
    });
  }
  for (const executor of executors) await executor.close();
  return measured;
}

function atOnce(count: number): string {
  return count === 1 ? "gated" : `gated, ${count} at once`;
}

/** Picks `count` items at even distances; with fewer items, some are repeated. */
function spread<T>(all: readonly T[], count: number): T[] {
  return Array.from({ length: count }, (_, index) => index).flatMap(
    (index) => all[Math.floor((index * all.length) / count)] ?? [],
  );
}

/** A database without the settings by which the server reports waits to Heddle. */
async function plainDatabase(server: Server, spec: SessionSpec): Promise<Database> {
  const database = await server.lease();
  await sessionSetup(spec).migrate(database.url);
  const client = await connected(database.url);
  await client.query(`alter database ${database.name} reset all`);
  await client.end();
  return database;
}

/** Runs a spec with `heddle spec` in this database. Resolves with its output. */
async function runOurSpec(server: Server, database: Database, text: string): Promise<string> {
  const shared = { ...database, drop: async () => {} };
  let printed = "";
  await runSpec({ ...server, lease: async () => shared }, parseSpec(text, "bench.spec"), {
    name: "bench",
    print: (piece) => {
      printed += piece;
    },
    stepTimeoutMs: OPTIONS.stepTimeoutMs,
    signal: undefined,
  });
  return printed;
}

/** A comparison of speed is valid only if both sides have the same outcomes. */
function requireSame(
  spec: SessionSpec,
  possible: readonly Run[],
  theirs: ReadonlyMap<string, PermutationOutcome>,
): void {
  for (const { permutation, outcome } of possible) {
    const steps = stepsOf(spec, permutation).join(" ");
    const other = theirs.get(steps);
    if (isDeepStrictEqual(outcome, other)) continue;
    throw new Error(
      `"${spec.name}", permutation ${steps}: Heddle observed ${JSON.stringify(outcome)}, ` +
        `isolationtester ${JSON.stringify(other)}`,
    );
  }
}

async function runTester(
  program: string,
  url: string,
  spec: string,
  output: string,
): Promise<void> {
  // Files, not pipes: isolationtester writes without a buffer, and each write would wake this process.
  await using input = await open(spec, "r");
  await using result = await open(output, "w");
  const child = spawn(program, [url], { stdio: [input.fd, result.fd, "inherit"] });
  const [code] = await once(child, "exit");
  if (code !== 0) throw new Error(`isolationtester exited with ${code}; see its messages above`);
}

async function installed(): Promise<string> {
  for await (const program of glob(PROGRAM)) return program;
  throw new HarnessError(
    "UNSUPPORTED",
    "isolationtester is not installed; on Debian 12: " +
      "apt-get update && apt-get install -y --no-install-recommends postgresql-server-dev-15",
  );
}
