import { relative } from "node:path";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import type { RuleName } from "../checkers/checker.ts";
import { CHECKERS, type CheckerName, ruleFirst } from "../checkers/registry.ts";
import type { Control } from "../core/control.ts";
import type { Counterexample } from "../core/counterexample.ts";
import { HarnessError } from "../core/error.ts";
import type { Fault } from "../core/fault.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import { faultsIn } from "../core/schedule.ts";
import type { ExecutorOptions } from "../execution/executor-options.ts";
import { readFootprints } from "../footprints/footprints.ts";
import type { Server } from "../postgres/provider.ts";
import {
  type Strategy,
  type StrategyName,
  type StrategyOptions,
  strategyNamed,
} from "../scheduler/strategies.ts";
import { type AppliedMutant, openExecutor } from "../service/open-executor.ts";
import type { Bounds, Service } from "../service/service.ts";
import { acceptanceSentence, isInForce } from "./accepted.ts";
import type { CampaignOptions, FailingRegression, Progress } from "./bounded-exploration.ts";
import type { RegressionResult } from "./campaign.ts";
import { type Change, leftOutByChange } from "./changed-pairs.ts";
import { controlFor, DEFAULTS } from "./defaults.ts";
import { covers, groupOf } from "./failures.ts";
import { type ProfiledService, unprofiled, withProfile } from "./profiled-service.ts";
import { environmentOf } from "./provenance.ts";
import {
  type RegressionFile,
  RegressionFolder,
  type ReplayedRegression,
  replayRegressions,
} from "./regressions.ts";
import { type CampaignResult, runCampaign } from "./run-campaign.ts";
import type { Shard } from "./shards.ts";
import { ifInterrupted, unopenedExecutor } from "./unopened-executor.ts";
import { WorkerProcess } from "./worker-process.ts";

/**
 * How `verify` explores a service. Only the seed is required. The limits `runs`, `timeMs` and
 * `scenarios` combine: the first one reached ends the campaign. Without any of them it ends after
 * 3,000 executions, or, with `pairs`, after the last pair.
 */
export interface VerifyOptions {
  /** A 32-bit integer. The same seed and the same sources give the same campaign, times aside. */
  readonly seed: number;
  /** The most executions. Default: 3,000 if no other limit is given, else no limit. */
  readonly runs?: number | undefined;
  /** The most time for the setup, and for exploring, in ms; shrinking comes on top. Default: no limit. */
  readonly timeMs?: number | undefined;
  /** The most generated scenarios, over all shards. Default: no limit. */
  readonly scenarios?: number | undefined;
  /** Explores only every `of`-th scenario, starting with number `index`. Default: all. */
  readonly shard?: Shard | undefined;
  /**
   * Ends the campaign at the first violation. Else it looks for one of each rule, or, for a service
   * definition, of each group of operations. Default: true, except for a service definition.
   */
  readonly failFast?: boolean | undefined;
  /** How many clients a generated scenario has. Default: 2 to 4. */
  readonly bounds?: Bounds | undefined;
  /** Explores the service's pairs of operations instead of generated scenarios. Default: false. */
  readonly pairs?: boolean | undefined;
  /** With `pairs`: only those that a change concerns are explored. Default: all. */
  readonly change?: Change | undefined;
  /**
   * How schedules are chosen: the name of a built-in strategy, or a strategy of your own. Default:
   * `"auto"`, or `"exhaustive"` with `pairs`.
   */
  readonly strategy?: StrategyName | Strategy | undefined;
  /** The most preemptions in an exhaustive search; `Infinity`: no bound. Default: 2. */
  readonly preemptions?: number | undefined;
  /** Whether an exhaustive search without a bound skips equivalent schedules. Default: true. */
  readonly reduction?: boolean | undefined;
  /** Faults that the strategies `auto`, `pct` and `random` may inject. Default: none. */
  readonly faults?: readonly Fault[] | undefined;
  /**
   * Gates, isolation level, and when committed state is observed. Default: all gates, the isolation
   * level of the service or read committed, and the state after the last operation.
   */
  readonly control?: Partial<Control> | undefined;
  /** The checkers to apply; violations of the first come first. Default: all. */
  readonly checkers?: readonly CheckerName[] | undefined;
  /** Only violations of these rules count. Default: those of all rules. */
  readonly rules?: readonly RuleName[] | undefined;
  /** Executes each schedule twice and reports any difference as a violation. Default: false. */
  readonly checkDeterminism?: boolean | undefined;
  /** The name of one of the service's seeded bugs, or a change of its schema. Default: none. */
  readonly mutant?: AppliedMutant | undefined;
  /** How long one step of an execution, or a wait of the setup, may take, in ms. Default: 10,000. */
  readonly stepTimeoutMs?: number | undefined;
  /** How long shrinking one counterexample may take, in ms. Default: 30,000. */
  readonly shrinkTimeMs?: number | undefined;
  /**
   * The path of a folder of regressions. Its regressions are executed first, and each new
   * violation is added to it. It is left alone while a `mutant` is on. Default: none.
   */
  readonly regressions?: string | undefined;
  /** Explores in several processes; the result does not depend on how many. Default: this one. */
  readonly workers?: Workers | undefined;
  /** The path of a file for the standard error of a service that Heddle starts. Default: none. */
  readonly serviceLog?: string | undefined;
  /** Aborting it ends the campaign; its verdict is then `unknown` unless a violation was found. */
  readonly signal?: AbortSignal | undefined;
  /** Called after each execution. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** Processes that explore at the same time, each on a database of its own. */
export interface Workers {
  /** The number of processes, this one included. */
  readonly count: number;
  /** The path of the module that exports the service: each process loads it. */
  readonly serviceFile: string;
  /** How long the other processes wait before they start, in ms. Default: 2,000. */
  readonly joinMs?: number | undefined;
}

/** A campaign that ends sooner would end before further processes had started. */
const JOIN_MS = 2_000;

/**
 * Verifies a service on a disposable database of `server`: executes the regressions, explores
 * scenarios, checks every execution, and shrinks the first execution that violates a rule.
 *
 * ```ts
 * const server = await startServer("auto");
 * try {
 *   const { campaign, error } = await verify(server, service, { seed: 1, runs: 500 });
 *   if (error !== undefined) throw error;
 *   console.log(campaign.verdict, campaign.counterexamples);
 * } finally {
 *   await server.stop();
 * }
 * ```
 *
 * @throws HarnessError `USAGE` for options that contradict each other or the service. Errors after
 * exploring has begun are in the result.
 */
export async function verify<State extends Json, Op extends Operation>(
  server: Server,
  given: Service<State, Op>,
  options: VerifyOptions,
): Promise<CampaignResult> {
  const strategy = strategyOf(options);
  const settings = withDefaults(options, strategy, given);
  const { mutant, control, stepTimeoutMs, signal, timeMs: setupMs, serviceLog } = settings;
  const limits = { control, stepTimeoutMs, signal, setupMs, serviceLog };
  // A run that is interrupted in its setup still makes a report.
  const { change } = options;
  const profiled = await withProfile(server, given, mutant, { ...limits, change }).catch(
    ifInterrupted<ProfiledService<State, Op>>(unprofiled(given)),
  );
  const { service, independent, untouched } = profiled;
  const folder =
    mutant === undefined && options.regressions !== undefined
      ? new RegressionFolder(options.regressions)
      : undefined;
  const regressions = (await folder?.read(service.name)) ?? [];
  const replayed = await replayRegressions(
    regressions.map((file) => underControl(file, control)),
    service,
    (control, faults) => openExecutor(server, service, undefined, { ...limits, control, faults }),
  ).catch(ifInterrupted([]));
  const acceptances = replayed.flatMap((one) => acceptanceOf(one) ?? []);
  const accepted = acceptances.filter(({ inForce }) => inForce).map(({ of }) => of);
  const isAccepted = ({ regression }: ReplayedRegression) => accepted.includes(regression);
  const counted = replayed.filter((one) => !isAccepted(one));
  const failing = counted.filter(({ outcome }) => outcome === "fails");
  const faults = [
    ...(strategy.faults ?? []),
    ...failing.flatMap(({ regression }) => faultsIn(regression.schedule)),
  ];
  // A crash ends every connection to the server, so no other process may use it.
  const crashes = faults.includes("crash");
  const { workers } = options;
  // They start nothing yet, and options that contradict each other are refused before anything is open.
  const explorers =
    workers === undefined || service.single || crashes
      ? []
      : workersFor<State, Op>(server, profiled, workers, options, { ...settings, accepted });
  const executor = await openExecutor(server, service, mutant, {
    ...footprintsFor(strategy),
    ...limits,
    faults,
    hashRoutines: true,
  }).catch(ifInterrupted(unopenedExecutor<State, Op>()));
  // What a stored regression shows already needs no other file.
  const byOperations = service.byOperations === true;
  const stored = failing.map(({ regression: { scenario, violation } }) =>
    groupOf({ scenario, violations: [{ ...violation, evidence: [] }] }, byOperations),
  );
  const isStored = (found: Counterexample) =>
    stored.some((one) => covers(one, groupOf(found, byOperations)));
  const target = (found: Counterexample) => (isStored(found) ? undefined : folder);
  try {
    return await runCampaign(
      executor,
      service,
      environmentOf(server, executor.lockWaits),
      {
        ...settings,
        independent,
        accepted,
        notes: [
          ...acceptances.map(({ sentence }) => sentence),
          ...leftOutByChange(untouched, change),
        ],
        regressions: counted.map((one) =>
          resultOf(
            one,
            regressions.find(({ file }) => file === one.file),
          ),
        ),
        failingRegressions: failing.map(failingRegressionOf),
        // Written as found, before anything can go wrong; then replaced by what it shrank to.
        onViolation: async (found) => target(found)?.write(found),
        onShrunk: async (smallest, file) => {
          const counts = smallest !== undefined && smallest.unrepeated?.recurs !== "never";
          const shrunkFile = counts ? await target(smallest)?.write(smallest) : undefined;
          if (file !== undefined && shrunkFile !== file) await folder?.remove(file);
        },
      },
      { explorers, joinMs: workers?.joinMs ?? JOIN_MS },
    );
  } finally {
    await Promise.all([executor.close(), ...explorers.map((worker) => worker.close())]);
  }
}

function strategyOf(options: VerifyOptions): Strategy {
  const { strategy = defaultStrategy(options), faults = [] } = options;
  if (typeof strategy === "object") return strategy;
  const named = strategyNamed(strategy, strategyOptionsOf(options));
  if (faults.length === 0 || named.injectsFaults) return named;
  throw new HarnessError(
    "USAGE",
    `the strategy ${named.name} injects no faults: use auto, pct or random, or no faults`,
  );
}

function defaultStrategy({ pairs }: VerifyOptions): StrategyName {
  return pairs ? DEFAULTS.pairStrategy : DEFAULTS.strategy;
}

function strategyOptionsOf(options: VerifyOptions): StrategyOptions {
  const { preemptions = DEFAULTS.preemptions, reduction = true, faults = [] } = options;
  return { preemptions, reduction, faults };
}

type CampaignSettings = CampaignOptions & Pick<ExecutorOptions, "stepTimeoutMs">;

function withDefaults<State extends Json, Op extends Operation>(
  options: VerifyOptions,
  strategy: Strategy,
  service: Service<State, Op>,
): CampaignSettings {
  const { seed, runs, timeMs, scenarios, pairs = false } = options;
  const limited = pairs || [runs, timeMs, scenarios].some((limit) => limit !== undefined);
  const bounds = pairs ? { minClients: 2, maxClients: 2 } : (options.bounds ?? DEFAULTS.bounds);
  return {
    ...{ seed, timeMs, scenarios, pairs, strategy },
    runs: limited ? runs : DEFAULTS.runs,
    shard: options.shard,
    failFast: options.failFast ?? service.byOperations !== true,
    bounds: service.single ? clientsOf(service) : bounds,
    control: frozenAsAsked(controlFor(service, options.control), service),
    checkers: options.checkers ?? CHECKERS,
    rules: options.rules,
    checkDeterminism: options.checkDeterminism ?? false,
    mutant: options.mutant,
    stepTimeoutMs: options.stepTimeoutMs ?? DEFAULTS.stepTimeoutMs,
    shrinkTimeMs: options.shrinkTimeMs ?? DEFAULTS.shrinkTimeMs,
    serviceLog: options.serviceLog,
    signal: options.signal,
    onProgress: options.onProgress,
  };
}

/** The control with the time that the service asks for, unless it has one. */
function frozenAsAsked<State extends Json, Op extends Operation>(
  control: Control,
  { freeze }: Pick<Service<State, Op>, "freeze">,
): Control {
  if (freeze === undefined || control.freeze !== undefined) return control;
  return { ...control, freeze: freeze === true ? new Date().toISOString() : freeze };
}

/** What the executor needs for a strategy with reduction: what each step may touch. */
export function footprintsFor({ reduces }: Strategy): Pick<ExecutorOptions, "footprints"> {
  return reduces ? { footprints: readFootprints } : {};
}

/** @throws HarnessError `USAGE` for a strategy that only this process has */
function workersFor<State extends Json, Op extends Operation>(
  server: Server,
  { service, profile }: ProfiledService<State, Op>,
  { count, serviceFile }: Workers,
  options: VerifyOptions,
  settings: CampaignSettings,
): readonly WorkerProcess<State, Op>[] {
  const { strategy = defaultStrategy(options) } = options;
  if (count <= 1) return [];
  if (typeof strategy === "object") {
    throw new HarnessError(
      "USAGE",
      "other processes have built-in strategies only: give the strategy by its name, or no workers",
    );
  }
  const { mutant, seed, bounds, pairs, scenarios, failFast, control } = settings;
  const { checkers, rules, accepted = [], checkDeterminism, stepTimeoutMs, signal } = settings;
  const workerOptions = {
    serviceFile,
    profile,
    pairNames: service.pairs?.().map(({ name }) => name),
    mutant,
    seed,
    bounds,
    pairs,
    scenarios,
    failFast,
    control,
    queries: service.queries ?? [],
    strategy,
    strategyOptions: strategyOptionsOf(options),
    checkers,
    rules,
    accepted,
    checkDeterminism,
    stepTimeoutMs,
  };
  return Array.from(
    { length: count - 1 },
    () => new WorkerProcess<State, Op>(server, workerOptions, signal),
  );
}

/** The number of clients in the service's only scenario. */
function clientsOf<State extends Json, Op extends Operation>(service: Service<State, Op>): Bounds {
  const [scenario] = fc.sample(service.scenarios(DEFAULTS.bounds), 1);
  const clients = scenario?.clients.length ?? 0;
  return { minClients: clients, maxClients: clients };
}

/**
 * The regression under the gates and the isolation of this run. Where it was found by observing each
 * commit, with a frozen clock, or on freshly started systems, it is executed like that again.
 */
function underControl(
  { file, regression }: RegressionFile,
  { gates, isolation, ...asked }: Control,
): RegressionFile {
  const { observe, freeze, fresh } = { ...regression.control, ...asked };
  const control = {
    ...{ gates, isolation, ...(observe !== undefined && { observe }) },
    ...(fresh !== undefined && { fresh }),
    ...(freeze !== undefined && { freeze }),
  };
  return { file, regression: { ...regression, control } };
}

/** What is said of a regression that was accepted; undefined for any other. */
function acceptanceOf({ file, regression, outcome }: ReplayedRegression) {
  const { accepted } = regression;
  if (accepted === undefined) return undefined;
  const now = { inForce: isInForce(accepted, new Date()), occurs: outcome === "fails" };
  const sentence = acceptanceSentence(relative(process.cwd(), file), regression, accepted, now);
  return { of: regression, inForce: now.inForce, sentence };
}

/** A regression that holds under other gates or another isolation than its own is not fixed by that. */
function resultOf(
  { file, outcome, regression }: ReplayedRegression,
  stored: RegressionFile | undefined,
): RegressionResult {
  const isOwn = isDeepStrictEqual(stored?.regression.control, regression.control);
  return {
    file: relative(process.cwd(), file),
    rule: regression.violation.name,
    outcome: outcome === "fixed" && !isOwn ? "stale" : outcome,
  };
}

/** The rule of the regression comes first, so that shrinking keeps to it. */
function failingRegressionOf({
  file,
  regression,
  replayed: { execution, violations },
}: ReplayedRegression): FailingRegression {
  return {
    file: relative(process.cwd(), file),
    execution,
    violations: ruleFirst(regression.violation, violations),
  };
}
