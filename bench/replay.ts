import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Benchmark, inTurns, mediansInTurns } from "./benchmark.ts";

const ROUNDS = 7;
/** Further replays on the same server. */
const FURTHER = 100;

const HEDDLE = fileURLToPath(new URL("../bin/heddle.js", import.meta.url));
const BARE = `
  const { startServer } = await import(process.argv[1]);
  const { default: pg } = await import("pg");
  const server = await startServer("embedded");
  const { url, drop } = await server.lease();
  const client = new pg.Client(url);
  await client.connect();
  await client.query("select 1");
  await client.end();
  await drop();
  await server.stop();`;
const PROVIDER = new URL("../harness/postgres/provider.ts", import.meta.url).href;

/** The time of `heddle replay` from the command line to the verdict. */
export async function replayBenchmark(): Promise<Benchmark> {
  const folder = await mkdtemp(join(tmpdir(), "heddle-bench-"));
  try {
    const campaign = ["--mutant", "check-then-insert", "--strategy", "random", "--seed", "2"];
    const report = await node([HEDDLE, "verify", ...campaign, "--report", folder, "--json"]);
    const file = JSON.parse(report).counterexamples[0].file;
    const replay = async (times = 1) => {
      const options = ["--postgres", "embedded", "--json", "--repeat", String(times)];
      const { replays, identical } = JSON.parse(await node([HEDDLE, "replay", file, ...options]));
      if (identical !== times) throw new Error(`${identical} of ${replays} replays are identical`);
    };
    const bare = async () => void (await node(["--input-type=module", "--eval", BARE, PROVIDER]));
    await replay();
    const cold = await mediansInTurns(ROUNDS, () => replay(), bare);
    const many = await inTurns(
      1,
      () => replay(1 + FURTHER),
      () => replay(),
    );
    const next = (many.ours - many.theirs) / FURTHER;
    return {
      name: "replay",
      ...cold,
      ratio: cold.ours / cold.theirs,
      unit: "ms",
      compared:
        "heddle replay from the command line to the verdict, with the start of a server, against a " +
        `program that only starts a server, runs "select 1" and stops it (medians of ${ROUNDS}); ` +
        `and each of ${FURTHER} further replays on the same server, against the first; lower is better`,
      cases: [
        { name: "cold", ...cold, ratio: cold.ours / cold.theirs },
        { name: "each further", ours: next, theirs: many.theirs, ratio: next / many.theirs },
      ],
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Runs Node with these arguments and returns what it prints, whatever its exit code. */
function node(args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "ignore"] });
  let printed = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    printed += text;
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", () => resolve(printed));
  });
}
