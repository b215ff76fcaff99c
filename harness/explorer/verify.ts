import { availableParallelism } from "node:os";
import { relative } from "node:path";
import fc from "fast-check";
import type { Control } from "../core/control.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import { faultsIn } from "../core/schedule.ts";
import type { ExecutorOptions } from "../execution/executor.ts";
import { readFootprints } from "../footprints/footprints.ts";
import type { Server } from "../postgres/provider.ts";
import type { Strategy, StrategyOptions } from "../scheduler/strategies.ts";
import { openExecutor } from "../service/open-executor.ts";
import type { Bounds, Service } from "../service/service.ts";
import { version } from "../version.ts";
import type { Environment, RegressionResult } from "./campaign-report.ts";
import type { CampaignOptions } from "./campaign-run.ts";
import { CHECKERS, ruleFirst } from "./checkers.ts";
import { DEFAULTS } from "./defaults.ts";
import type { FailingExecution } from "./explore-scenario.ts";
import type { RegressionFolder } from "./regression-folder.ts";
import { type ReplayedRegression, replayRegressions } from "./replay-regressions.ts";
import { type CampaignResult, runCampaign } from "./run-campaign.ts";
import type { WorkerOptions } from "./worker-messages.ts";
import { WorkerProcess } from "./worker-process.ts";

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
  readonly serviceFile: string;
  /** What the strategy was made with. */
  readonly strategyOptions: StrategyOptions;
  /** After how long others join, in ms; 2 s unless told otherwise. */
  readonly joinMs?: number;
}

/** After how long other processes join: what takes less is done before they would have started. */
const JOIN_MS = 2_000;

/** What `verify` decides itself. */
type Decided = "known" | "onViolation" | "onShrunk" | "regressions" | "workers";

/** Verifies a service on a disposable database of `server`: one campaign from beginning to end. */
export async function verify<State extends Json, Op extends Operation>(
  server: Server,
  service: Service<State, Op>,
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
    checkers: CHECKERS,
    ...DEFAULTS,
    ...(pairs && { strategy: DEFAULTS.pairStrategy }),
    ...given,
    ...(pairs && { bounds: { minClients: 2, maxClients: 2 } }),
    ...(service.single && { bounds: sizeOf(service) }),
    runs: unlimited ? DEFAULTS.runs : runs,
  };
  const folder = options.mutant === undefined ? given.regressions : undefined;
  const kept = (await folder?.kept(service.name)) ?? [];
  const { faults = [] } = options.strategy;
  const outcomes = await replayRegressions(kept, service, (control, its) =>
    openExecutor(server, service, undefined, { ...options, control, faults: its }),
  );
  const failing = outcomes.find(({ outcome }) => outcome === "fails");
  const control = failing?.regression.control ?? options.control;
  const striking = [...faults, ...(failing ? faultsIn(failing.regression.schedule) : [])];
  const executor = await openExecutor(server, service, options.mutant, {
    ...footprintsFor(options.strategy, control),
    ...options,
    control,
    hashRoutines: true,
    faults: striking,
  });
  const keep = failing === undefined ? folder : undefined;
  // Where the server is killed, one process has it alone.
  const alone = service.single || striking.includes("crash");
  const explorers = alone
    ? []
    : otherWorkers<State, Op>(server, given.workers, {
        ...options,
        queries: service.queries ?? [],
      });
  try {
    const environment = environmentOf(server, executor.lockWaits);
    const told: CampaignOptions = {
      ...options,
      control,
      regressions: outcomes.map(outcomeOfReplay),
      known: failing && failingAgain(failing),
      // Kept as it was found, before anything can go wrong; then as small as it became.
      onViolation: async (found) => keep?.keep(found),
      onShrunk: async (smallest, found) => {
        const kept = await keep?.keep(smallest);
        if (found !== undefined && kept !== found) await keep?.remove(found);
      },
    };
    const joinMs = given.workers?.joinMs ?? JOIN_MS;
    return await runCampaign(executor, service, environment, told, { explorers, joinMs });
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

function otherWorkers<State extends Json, Op extends Operation>(
  server: Server,
  workers: Workers | undefined,
  options: Omit<WorkerOptions, "server" | "serviceFile" | "strategy" | "strategyOptions"> & {
    readonly strategy: Strategy;
    readonly signal: AbortSignal | undefined;
  },
): readonly WorkerProcess<State, Op>[] {
  if (workers === undefined) return [];
  const { count, serviceFile, strategyOptions } = workers;
  const { mutant, seed, bounds, pairs, scenarios, strategy, control } = options;
  const { checkers, rules, queries, checkDeterminism, stepTimeoutMs } = options;
  const told = {
    ...{ serviceFile, mutant, seed, bounds, pairs, scenarios },
    ...{ strategy: strategy.name, strategyOptions },
    ...{ control, checkers, rules, queries, checkDeterminism, stepTimeoutMs },
  };
  return Array.from(
    { length: count - 1 },
    () => new WorkerProcess<State, Op>(server, told, options.signal),
  );
}

/** The clients of the only scenario that there is. */
function sizeOf<State extends Json, Op extends Operation>(service: Service<State, Op>): Bounds {
  const [scenario] = fc.sample(service.scenarios(DEFAULTS.bounds), 1);
  const size = scenario?.clients.length ?? 0;
  return { minClients: size, maxClients: size };
}

function outcomeOfReplay({ file, outcome, regression }: ReplayedRegression): RegressionResult {
  const { name } = regression.violation;
  return { file: relative(process.cwd(), file), rule: name, outcome };
}

/** What is shrunk is the first of the rules that are broken. */
function failingAgain({
  regression,
  replayed: { execution, violations },
}: ReplayedRegression): FailingExecution {
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
