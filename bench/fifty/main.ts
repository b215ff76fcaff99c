import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { verify } from "../../harness/explorer/verify.ts";
import { startServer } from "../../harness/postgres/provider.ts";
import { definedService } from "../../harness/service/defined-service.ts";
import definition, { PLANTED } from "./service.heddle.ts";

/*
 * How long the pairs of a service with fifty operations take: `node bench/fifty/main.ts --minutes 15`. It prints a
 * table: the pairs by kind, the executions, the minutes, and how many of the planted races were found.
 */

const FILE = fileURLToPath(new URL("service.heddle.ts", import.meta.url));
const OPERATIONS = 50;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "15" },
    preemptions: { type: "string", default: "1" },
  },
});

/** The two operations of a pair, without the rows that they refer to. */
const operationsOf = (pair: string) => pair.split(", ")[0] ?? "";

/** Two operations have several pairs: on the same rows, on different ones, …. */
const count = (pairs: readonly string[]) =>
  `${new Set(pairs.map(operationsOf)).size} (${pairs.length} with the rows that they meet at)`;

/** The pairs that a sentence of the report lists after its colon. */
function listed(sentences: readonly string[], sentence: RegExp): readonly string[] {
  const [found] = sentences.filter((one) => sentence.test(one));
  return (
    found
      ?.replace(/^[^:]*: /, "")
      .split(/\. Rows in the setup|\.$/)[0]
      ?.split("; ") ?? []
  );
}

const minutes = (ms: number) => (ms / 60_000).toFixed(1);

const server = await startServer("auto");
try {
  const began = performance.now();
  const { campaign, error } = await verify(
    server,
    definedService(definition, FILE, pathToFileURL(FILE)),
    {
      seed: 1,
      pairs: true,
      preemptions: Number(values.preemptions),
      timeMs: Number(values.minutes) * 60_000,
      failFast: false,
      shrinkTimeMs: 2_000,
      workers: { count: 2, serviceFile: FILE },
    },
  );
  const totalMs = performance.now() - began;
  if (error !== undefined) throw error;
  const searched = campaign.pairs.filter(({ complete }) => complete);
  const violated = campaign.pairs.filter((pair) => pair.violated !== undefined);
  const racing = new Set(violated.map(({ name }) => operationsOf(name)));
  const shown = new Set(
    campaign.counterexamples.map(({ scenario }) =>
      scenario.clients
        .flat()
        .map(({ name }) => name)
        .sort()
        .join(" × "),
    ),
  );
  const rows = [
    ["pairs of operations", `${(OPERATIONS * (OPERATIONS + 1)) / 2}`],
    ["touch nothing in common", count(listed(campaign.coverage, /left out, since/))],
    ["conflict", count(campaign.pairs.map(({ name }) => name))],
    ["no state in which both succeed", count(listed(campaign.coverage, /no state was reached/))],
    ["searched to the end", count(searched.map(({ name }) => name))],
    ["violated", count(violated.map(({ name }) => name))],
    [
      "planted races found",
      `${PLANTED.filter((one) => racing.has(one)).length} of ${PLANTED.length}`,
    ],
    ["counterexamples", `${campaign.counterexamples.length}, of ${shown.size} pairs of operations`],
    ["executions", `${campaign.executions}, and ${campaign.compared} for comparisons`],
    ["minutes, before the search", minutes(totalMs - campaign.elapsedMs)],
    ["minutes, search and shrinking", minutes(campaign.elapsedMs)],
    ["minutes in total", minutes(totalMs)],
  ];
  for (const [name = "", value] of rows) process.stdout.write(`${name.padEnd(32)}${value}\n`);
  const missed = PLANTED.filter((one) => !racing.has(one));
  const others = [...racing].filter((one) => !PLANTED.includes(one));
  if (missed.length > 0) process.stdout.write(`not found: ${missed.join("; ")}\n`);
  if (others.length > 0) process.stdout.write(`not planted: ${others.join("; ")}\n`);
} finally {
  await server.stop();
}
