import { availableParallelism } from "node:os";
import fc from "fast-check";
import type { Environment } from "./core/campaign.ts";
import type { Command } from "./core/command.ts";
import { HarnessError } from "./core/error.ts";
import type { Json } from "./core/json.ts";
import { DEFAULTS } from "./defaults.ts";
import { Executor, type ExecutorOptions } from "./execution/executor.ts";
import { type CampaignOptions, type CampaignResult, runCampaign } from "./explorer/campaign.ts";
import type { Bounds, Subject } from "./explorer/subject.ts";
import { derivedSubject, isDerived } from "./mutation/derived-subject.ts";
import type { Server } from "./postgres/provider.ts";
import { version } from "./version.ts";

/** Opens an executor for a subject, for one of its mutants, or for some derived from its schema. */
export async function openExecutor<State extends Json, C extends Command>(
  server: Server,
  subject: Subject<State, C>,
  mutant: string | undefined,
  options: ExecutorOptions,
): Promise<Executor<State, C>> {
  if (mutant !== undefined && isDerived(mutant)) {
    const derived = await derivedSubject(server, subject, mutant);
    return openExecutor(server, derived, undefined, options);
  }
  if (mutant !== undefined && !subject.mutants.some(({ name }) => name === mutant)) {
    const names = subject.mutants.map(({ name }) => name).join(", ") || "none";
    throw new HarnessError(
      "USAGE",
      `the model "${subject.name}" has no mutant "${mutant}"; it has: ${names}`,
    );
  }
  const setup = {
    migrate: (directUrl: string) => subject.migrate(directUrl, mutant),
    start: (context: Parameters<typeof subject.start>[0]) => subject.start(context, mutant),
  };
  return Executor.open(server, setup, options);
}

/** What a campaign can be told; see `CampaignOptions` and `ExecutorOptions`. */
export type VerifyOptions = Partial<CampaignOptions & ExecutorOptions> & { readonly seed: number };

/** Verifies a subject on a disposable database of `server`: one campaign from beginning to end. */
export async function verify<State extends Json, C extends Command>(
  server: Server,
  subject: Subject<State, C>,
  given: VerifyOptions,
): Promise<CampaignResult> {
  const { pairs = false } = given;
  // The searches of pairs come to an end by themselves.
  const unlimited = !pairs && given.runs === undefined && given.timeMs === undefined;
  const options = {
    pairs,
    timeMs: undefined,
    mutant: undefined,
    signal: undefined,
    onProgress: undefined,
    ...DEFAULTS,
    ...(pairs && { strategy: DEFAULTS.pairStrategy }),
    ...given,
    ...(pairs && { bounds: { minClients: 2, maxClients: 2 } }),
    ...(subject.single && { bounds: sizeOf(subject) }),
    runs: unlimited ? DEFAULTS.runs : given.runs,
  };
  const executor = await openExecutor(server, subject, options.mutant, options);
  try {
    return await runCampaign(executor, subject, environmentOf(server, executor.lockWaits), options);
  } finally {
    await executor.close();
  }
}

/** The clients of the only scenario that there is. */
function sizeOf<State extends Json, C extends Command>(subject: Subject<State, C>): Bounds {
  const [scenario] = fc.sample(subject.scenarios(DEFAULTS.bounds), 1);
  const size = scenario?.clients.length ?? 0;
  return { minClients: size, maxClients: size };
}

function environmentOf(
  server: Server,
  lockWaits: Environment["postgres"]["lockWaits"],
): Environment {
  return {
    heddle: version,
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    cpus: availableParallelism(),
    postgres: { provider: server.provider, version: server.version, lockWaits },
  };
}
