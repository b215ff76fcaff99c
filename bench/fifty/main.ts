import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { controlFor, DEFAULTS } from "../../harness/explorer/defaults.ts";
import { withProfile } from "../../harness/explorer/profiled-service.ts";
import { verify } from "../../harness/explorer/verify.ts";
import { startServer } from "../../harness/postgres/provider.ts";
import { definedService } from "../../harness/service/defined-service.ts";
import definition from "./service.heddle.ts";

/*
 * How long the pairs of a service with fifty operations take: `node bench/fifty/main.ts --minutes 15`. It prints
 * the pairs by kind, the executions and the minutes; with too few minutes, what all would take.
 */

const FILE = fileURLToPath(new URL("service.heddle.ts", import.meta.url));
const OPERATIONS = 50;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "15" },
    preemptions: { type: "string", default: "1" },
  },
});

const server = await startServer("auto");
try {
  const service = definedService(definition, FILE, pathToFileURL(FILE));
  const limits = {
    control: controlFor(service),
    stepTimeoutMs: DEFAULTS.stepTimeoutMs,
    signal: undefined,
  };
  const began = performance.now();
  const profiled = await withProfile(server, service, undefined, limits);
  const profileMs = performance.now() - began;
  const conflicting = profiled.service.pairs?.().length ?? 0;
  const { campaign, error } = await verify(server, service, {
    seed: 1,
    pairs: true,
    preemptions: Number(values.preemptions),
    timeMs: Number(values.minutes) * 60_000,
    failFast: false,
    shrinkTimeMs: 2_000,
    workers: { count: 2, serviceFile: FILE },
  });
  if (error !== undefined) throw error;
  const searched = campaign.pairs.filter(({ complete }) => complete).length;
  const minutes = (ms: number) => Math.round(ms / 6_000) / 10;
  const total = minutes(profileMs + (campaign.elapsedMs * conflicting) / Math.max(1, searched));
  const lines = [
    `${(OPERATIONS * (OPERATIONS + 1)) / 2} pairs of two operations, on the same rows and on different ones:`,
    `  ${profiled.independent.length} touch nothing in common`,
    `  ${conflicting} conflict`,
    `  ${profiled.service.unreached?.pairs.length ?? 0} have no state in which both succeed`,
    `profile: ${minutes(profileMs)} minutes`,
    `searched: ${searched} pairs, ${campaign.executions} executions, ${minutes(campaign.elapsedMs)} minutes`,
    `violated: ${campaign.pairs.filter(({ violated }) => violated !== undefined).length} pairs`,
    `all: ${total} minutes${searched < conflicting ? ", extrapolated" : ""}`,
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
} finally {
  await server.stop();
}
