import { availableParallelism } from "node:os";
import { relative } from "node:path";
import fc from "fast-check";
import type { Environment, RegressionFate } from "./core/campaign.ts";
import type { Command } from "./core/command.ts";
import type { Control } from "./core/control.ts";
import { HarnessError } from "./core/error.ts";
import type { Json } from "./core/json.ts";
import { faultsIn } from "./core/schedule.ts";
import { DEFAULTS } from "./defaults.ts";
import { Executor, type ExecutorOptions } from "./execution/executor.ts";
import { type CampaignResult, runCampaign } from "./explorer/campaign.ts";
import type { CampaignOptions } from "./explorer/campaign-run.ts";
import type { Failing } from "./explorer/explore-scenario.ts";
import { JUDGES, ruleFirst } from "./explorer/judge.ts";
import type { Bounds, Subject } from "./explorer/subject.ts";
import { readFootprints } from "./gates/footprints.ts";
import { derivedSubject, isDerived } from "./mutation/derived-subject.ts";
import type { Server } from "./postgres/provider.ts";
import type { RegressionFolder } from "./regressions/regression-folder.ts";
import { type Fated, replayRegressions } from "./regressions/replay-regressions.ts";
import type { Strategy, StrategyOptions } from "./scheduler/strategies.ts";
import { version } from "./version.ts";
import type { WorkerOptions } from "./workers/messages.ts";
import { WorkerProcess } from "./workers/worker-process.ts";

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
  const { queries = [] } = subject;
  return Executor.open(server, setup, { ...options, queries });
}

/** What a campaign can be told; see `CampaignOptions` and `ExecutorOptions`. */
export type VerifyOptions = Partial<Omit<CampaignOptions, Decided> & ExecutorOptions> & {
  readonly seed: number;
  /**
   * Where violations are kept, to be executed first from then on. Those of mutants are not: they
   * are there to be found.
   */
  readonly regressions?: RegressionFolder;
  /** Processes that explore at the same time; none unless asked for. */
  readonly workers?: Workers | undefined;
};

export interface Workers {
  /** How many there are in all, this process included. */
  readonly count: number;
  /** The path of the model's file: other processes have to load it for themselves. */
  readonly model: string;
  /** What the strategy was made with. */
  readonly strategyOptions: StrategyOptions;
  /** After how long others join, in ms; 2 s unless told otherwise. */
  readonly joinMs?: number;
}

/** After how long other processes join: what takes less is done before they would have started. */
const JOIN_MS = 2_000;

/** What `verify` decides itself. */
type Decided = "known" | "onViolation" | "onShrunk" | "regressions" | "workers";

/** Verifies a subject on a disposable database of `server`: one campaign from beginning to end. */
export async function verify<State extends Json, C extends Command>(
  server: Server,
  subject: Subject<State, C>,
  given: VerifyOptions,
): Promise<CampaignResult> {
  const { pairs = false } = given;
  // The searches of pairs come to an end by themselves.
  const { runs, timeMs, scenarios } = given;
  const limits = [runs, timeMs, scenarios].filter((limit) => limit !== undefined);
  const unlimited = !pairs && limits.length === 0;
  const options = {
    pairs,
    timeMs: undefined,
    checkDeterminism: false,
    mutant: undefined,
    signal: undefined,
    onProgress: undefined,
    judges: JUDGES,
    ...DEFAULTS,
    ...(pairs && { strategy: DEFAULTS.pairStrategy }),
    ...given,
    ...(pairs && { bounds: { minClients: 2, maxClients: 2 } }),
    ...(subject.single && { bounds: sizeOf(subject) }),
    runs: unlimited ? DEFAULTS.runs : runs,
  };
  const folder = options.mutant === undefined ? given.regressions : undefined;
  const kept = (await folder?.kept(subject.name)) ?? [];
  const { faults = [] } = options.strategy;
  const fates = await replayRegressions(kept, subject, (control, its) =>
    openExecutor(server, subject, undefined, { ...options, control, faults: its }),
  );
  const failing = fates.find(({ fate }) => fate === "fails");
  const control = failing?.regression.control ?? options.control;
  const striking = [...faults, ...(failing ? faultsIn(failing.regression.schedule) : [])];
  const executor = await openExecutor(server, subject, options.mutant, {
    ...footprintsFor(options.strategy, control),
    ...options,
    control,
    hashRoutines: true,
    faults: striking,
  });
  const keep = failing === undefined ? folder : undefined;
  // Where the server is killed, one process has it alone.
  const alone = subject.single || striking.includes("crash");
  const explorers = alone
    ? []
    : otherWorkers<State, C>(server, given.workers, { ...options, queries: subject.queries ?? [] });
  try {
    const environment = environmentOf(server, executor.lockWaits);
    const told: CampaignOptions = {
      ...options,
      control,
      regressions: fates.map(fateOf),
      known: failing && failingAgain(failing),
      // Kept as it was found, before anything can go wrong; then as small as it became.
      onViolation: async (found) => keep?.keep(found),
      onShrunk: async (smallest, found) => {
        const kept = await keep?.keep(smallest);
        if (found !== undefined && kept !== found) await keep?.remove(found);
      },
    };
    const joinMs = given.workers?.joinMs ?? JOIN_MS;
    return await runCampaign(executor, subject, environment, told, { explorers, joinMs });
  } finally {
    await Promise.all([executor.close(), ...explorers.map((worker) => worker.close())]);
  }
}

/**
 * What tells a strategy that reduces which steps commute. Where committed state is observed after
 * each commit, the order of any two commits is seen: then nothing is told, and none do.
 */
export function footprintsFor(
  { reduces }: Strategy,
  { observe }: Control,
): Pick<ExecutorOptions, "footprints"> {
  return reduces && observe === undefined ? { footprints: readFootprints } : {};
}

function otherWorkers<State extends Json, C extends Command>(
  server: Server,
  workers: Workers | undefined,
  options: Omit<WorkerOptions, "server" | "model" | "strategy" | "strategyOptions"> & {
    readonly strategy: Strategy;
    readonly signal: AbortSignal | undefined;
  },
): readonly WorkerProcess<State, C>[] {
  if (workers === undefined) return [];
  const { count, model, strategyOptions } = workers;
  const { mutant, seed, bounds, pairs, strategy, control } = options;
  const { judges, queries, checkDeterminism, stepTimeoutMs } = options;
  const told = {
    ...{ model, mutant, seed, bounds, pairs, strategy: strategy.name, strategyOptions },
    ...{ control, judges, queries, checkDeterminism, stepTimeoutMs },
  };
  return Array.from(
    { length: count - 1 },
    () => new WorkerProcess<State, C>(server, told, options.signal),
  );
}

/** The clients of the only scenario that there is. */
function sizeOf<State extends Json, C extends Command>(subject: Subject<State, C>): Bounds {
  const [scenario] = fc.sample(subject.scenarios(DEFAULTS.bounds), 1);
  const size = scenario?.clients.length ?? 0;
  return { minClients: size, maxClients: size };
}

function fateOf({ file, fate, regression }: Fated): RegressionFate {
  const { name } = regression.violation;
  return { file: relative(process.cwd(), file), rule: name, fate };
}

/** What is shrunk is the first of the rules that are broken. */
function failingAgain({ regression, replayed: { execution, violations } }: Fated): Failing {
  return { execution, violations: ruleFirst(regression.violation, violations) };
}

/** What a report says of where it was made. */
export function environmentOf(
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
