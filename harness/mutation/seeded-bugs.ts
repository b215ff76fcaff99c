import { CHECKERS, type CheckerName, cannotCheck } from "../checkers/registry.ts";
import type { GateName } from "../core/control.ts";
import type { Counterexample } from "../core/counterexample.ts";
import { HarnessError } from "../core/error.ts";
import { endsProcess, FAULT_GROUPS, type Fault } from "../core/fault.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Verdict } from "../core/verdict.ts";
import type { Provenance } from "../explorer/campaign.ts";
import { controlFor, DEFAULTS } from "../explorer/defaults.ts";
import { replay } from "../explorer/replay.ts";
import type { Server } from "../postgres/provider.ts";
import { strategyNamed } from "../scheduler/strategies.ts";
import { openExecutor } from "../service/open-executor.ts";
import type { SeededBug, Service } from "../service/service.ts";
import { type MutantCampaign, mutantCampaign, provenanceOf } from "./mutant-campaign.ts";

/** When a checker first found something. */
export interface CheckerFinding {
  readonly checker: string;
  /** Executions until then, that one included. */
  readonly executions: number;
  /** How long exploring took until then, in ms. */
  readonly elapsedMs: number;
}

/** The gates and faults that a bug needs to show. */
export interface Depth {
  readonly gates: readonly GateName[];
  /** Faults that are injected at random. */
  readonly faults: readonly Fault[];
}

/** The result for one seeded bug. */
export interface SeededBugResult extends Depth {
  readonly name: string;
  readonly origin: string;
  /** The checker that must catch it; null for an equivalent change, which no checker can see. */
  readonly checker: string | null;
  /** Why no execution differs from the service without the bug; null for all other bugs. */
  readonly equivalent: string | null;
  /**
   * `caught`: by the checker that must catch it. `survived`: that checker found nothing within the
   * budget, even if others did. `equivalent`: it is equivalent, and no checker found anything.
   * `false alarm`: it is equivalent, and a checker found something. `unknown`: the campaign could
   * not run, or an execution could not be checked.
   */
  readonly outcome: "caught" | "survived" | "equivalent" | "false alarm" | "unknown";
  /** The checkers that found something, each alone, the earliest first. */
  readonly checkers: readonly CheckerFinding[];
  /** Of all campaigns with the bug. */
  readonly executions: number;
  readonly elapsedMs: number;
  /** Shrunk; of the checker that must catch it, or else of the first that found something. */
  readonly counterexample: Counterexample | null;
  /** The smallest counterexample that is known. */
  readonly smallest: {
    readonly operations: number;
    readonly preemptions: number;
    readonly faults?: number;
  } | null;
  /** How many replays of the counterexample, on another database, gave exactly the same execution. */
  readonly replays: { readonly identical: number; readonly of: number } | null;
  /** Why the outcome is `unknown`; null otherwise. */
  readonly reason: string | null;
}

/** The result for the service without a bug, within the same budget. */
export interface BaselineResult extends Depth {
  readonly verdict: Verdict;
  readonly executions: number;
  readonly elapsedMs: number;
  readonly checkers: readonly CheckerFinding[];
  readonly reason: string | null;
}

/** The results for a service's seeded bugs: which of them the checkers catch. */
export interface SeededBugReport extends Provenance {
  readonly service: string;
  readonly seed: number;
  /** The most executions of each campaign, and the most time, in ms. */
  readonly budget: { readonly runs: number; readonly timeMs: number | null };
  /** Whether each checker had a campaign of its own, where it did not find the bug first. */
  readonly allCheckers: boolean;
  readonly verdict: Verdict;
  readonly elapsedMs: number;
  readonly results: readonly SeededBugResult[];
  readonly baseline: readonly BaselineResult[];
  /** The names of bugs that were left out: others were asked for, or the run was interrupted. */
  readonly untried: readonly string[];
}

export interface SeededBugOptions {
  readonly seed: number;
  /** The most executions of each campaign. */
  readonly runs: number;
  /** The most time for each campaign, in ms; undefined: no limit. */
  readonly timeMs: number | undefined;
  /** The names of the bugs to try; undefined: all. */
  readonly only: readonly string[] | undefined;
  /** Whether each checker has a campaign of its own, where it did not find the bug first. */
  readonly allCheckers: boolean;
  /** How many bugs are tried at the same time, each on a database of its own. */
  readonly atOnce: number;
  /** How often each counterexample is replayed. */
  readonly replays: number;
  readonly shrinkTimeMs: number;
  readonly stepTimeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /** Starts a server that can be killed. */
  readonly killableServer: () => Promise<Server>;
  readonly onResult: ((result: SeededBugResult, done: number, of: number) => void) | undefined;
}

/** The gates and faults that a bug declares; an equivalent change has the default gates. */
export function depthOf(mutant: SeededBug): Depth {
  if (!("depth" in mutant)) return { gates: DEFAULTS.control.gates, faults: [] };
  const { depth } = mutant;
  switch (depth) {
    case "statement":
      return { gates: ["statement"], faults: [] };
    case "fault":
      return { gates: ["statement"], faults: FAULT_GROUPS["connection"] ?? [] };
    case "kill":
      return { gates: ["statement"], faults: FAULT_GROUPS["service"] ?? [] };
    case "crash":
      return { gates: ["statement"], faults: FAULT_GROUPS["server"] ?? [] };
    case "routine":
      return { gates: ["statement", "routine"], faults: [] };
    default:
      return { gates: ["statement", "routine", depth], faults: [] };
  }
}

/**
 * Verifies a service with each of its seeded bugs, one at a time, and then without any, at each
 * depth that was used.
 * @throws HarnessError USAGE for a name that the service does not have
 */
export async function runSeededBugs<State extends Json, Op extends Operation>(
  server: Server,
  service: Service<State, Op>,
  options: SeededBugOptions,
): Promise<SeededBugReport> {
  const began = performance.now();
  const mutants = chosen(service, options.only);
  const provenance = await provenanceOf(server, service);
  const trial = new Trial(server, service, options);
  let done = 0;
  const results = await inParallel(mutants, options, async (mutant) => {
    const result = await trial.mutant(mutant);
    options.onResult?.(result, ++done, mutants.length);
    return result;
  });
  const depths = new Map(
    results.map(({ gates, faults }) => [`${gates} ${faults}`, { gates, faults }]),
  );
  const baseline = await inParallel([...depths.values()], options, (depth) =>
    trial.baseline(depth),
  );
  return {
    service: service.name,
    seed: options.seed,
    budget: { runs: options.runs, timeMs: options.timeMs ?? null },
    allCheckers: options.allCheckers,
    verdict: verdictOf(results, baseline, results.length < mutants.length),
    elapsedMs: performance.now() - began,
    results,
    baseline,
    untried: service.seededBugs
      .map(({ name }) => name)
      .filter((name) => !results.some((result) => result.name === name)),
    ...provenance,
  };
}

function chosen(
  { name, seededBugs: mutants }: Pick<Service, "name" | "seededBugs">,
  only?: readonly string[],
) {
  if (only === undefined) return mutants;
  const unknown = only.filter((wanted) => !mutants.some((mutant) => mutant.name === wanted));
  if (unknown.length === 0) return mutants.filter((mutant) => only.includes(mutant.name));
  const all = mutants.map((mutant) => mutant.name).join(", ") || "none";
  throw new HarnessError(
    "USAGE",
    `the service "${name}" has no seeded bug ${unknown.join(", ")}; it has: ${all}`,
  );
}

/** Results in the order of `all`; tasks that had not begun at an interruption have none. */
async function inParallel<T, R>(
  all: readonly T[],
  { atOnce, signal }: Pick<SeededBugOptions, "atOnce" | "signal">,
  work: (one: T) => Promise<R>,
): Promise<readonly R[]> {
  const results = new Map<number, R>();
  let next = 0;
  const worker = async () => {
    for (let at = next++; at < all.length && !signal?.aborted; at = next++) {
      results.set(at, await work(all[at] as T));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return [...results].sort(([a], [b]) => a - b).map(([, result]) => result);
}

/** A fault that restarts a process makes an execution about ten times as long. */
const RESTART_FACTOR = 10;

class Trial<State extends Json, Op extends Operation> {
  readonly #server: Server;
  readonly #service: Service<State, Op>;
  readonly #options: SeededBugOptions;

  constructor(server: Server, service: Service<State, Op>, options: SeededBugOptions) {
    this.#server = server;
    this.#service = service;
    this.#options = options;
  }

  /**
   * Verifies the service with a bug, and replays the counterexample on another database. The
   * campaign ends at the first violation. Where the checker that must catch the bug did not find
   * it, a campaign with this checker alone tells whether it would.
   */
  async mutant(mutant: SeededBug): Promise<SeededBugResult> {
    const depth = depthOf(mutant);
    const wanted = "checker" in mutant ? mutant.checker : undefined;
    return this.#on(depth, async (server) => {
      // A counterexample is shrunk for the first checker that has found something.
      const inOrder = CHECKERS.toSorted((a, b) => Number(b === wanted) - Number(a === wanted));
      const first = await this.#campaign(server, depth, mutant.name, inOrder);
      const others = this.#others(first, wanted);
      const campaigns: MutantCampaign[] = [first];
      for (const checker of others) {
        campaigns.push(await this.#campaign(server, depth, mutant.name, [checker]));
      }
      const findings = campaigns.flatMap(findingsOf).sort((a, b) => a.executions - b.executions);
      const catching = campaigns.find(({ checkers }) => checkers.some((it) => it === wanted));
      const counterexample = (catching ?? first).counterexample;
      return {
        name: mutant.name,
        origin: mutant.origin,
        checker: wanted ?? null,
        equivalent: "equivalent" in mutant ? mutant.equivalent : null,
        ...depth,
        outcome: outcomeOf(campaigns, catching, wanted),
        checkers: findings,
        executions: campaigns.reduce((sum, { executions }) => sum + executions, 0),
        elapsedMs: campaigns.reduce((sum, { elapsedMs }) => sum + elapsedMs, 0),
        counterexample,
        smallest: "smallest" in mutant ? mutant.smallest : null,
        replays: counterexample && (await this.#replay(server, depth, counterexample)),
        reason: campaigns.find(({ reason }) => reason !== null)?.reason ?? null,
      };
    });
  }

  /** The checkers that get a campaign of their own. */
  #others({ checkers }: MutantCampaign, wanted: string | undefined): readonly CheckerName[] {
    if (checkers.length === 0) return [];
    return CHECKERS.filter(
      (checker) =>
        !checkers.includes(checker) &&
        (this.#options.allCheckers || checker === wanted) &&
        cannotCheck(this.#service, [checker]).length === 0,
    );
  }

  /** Verifies the service without a bug. */
  baseline(depth: Depth): Promise<BaselineResult> {
    return this.#on(depth, async (server) => {
      const campaign = await this.#campaign(server, depth, undefined, CHECKERS);
      const { verdict, executions, elapsedMs, reason, counterexample } = campaign;
      return {
        ...depth,
        ...{ verdict, executions, elapsedMs },
        checkers: findingsOf(campaign),
        reason: counterexample?.violations[0]?.message ?? reason,
      };
    });
  }

  #campaign(
    server: Server,
    { gates, faults }: Depth,
    mutant: string | undefined,
    checkers: readonly CheckerName[],
  ): Promise<MutantCampaign> {
    const { seed, runs, timeMs, shrinkTimeMs, stepTimeoutMs, signal } = this.#options;
    const { preemptions } = DEFAULTS;
    return mutantCampaign(server, this.#service, mutant, {
      ...{ seed, timeMs, checkers, shrinkTimeMs, stepTimeoutMs, signal },
      runs: faults.some(endsProcess) ? Math.ceil(runs / RESTART_FACTOR) : runs,
      strategy: strategyNamed("auto", { preemptions, faults }),
      control: controlFor(this.#service, { gates }),
    });
  }

  async #replay(
    server: Server,
    { gates, faults }: Depth,
    counterexample: Counterexample,
  ): Promise<{ readonly identical: number; readonly of: number }> {
    const { replays: of, stepTimeoutMs, signal } = this.#options;
    const executor = await openExecutor(server, this.#service, counterexample.mutant ?? undefined, {
      control: controlFor(this.#service, { gates }),
      faults,
      stepTimeoutMs,
      signal,
    });
    let identical = 0;
    try {
      for (let done = 0; done < of; done++) {
        const { diverged } = await replay(
          executor,
          this.#service,
          counterexample as Counterexample<State, Op>,
        );
        if (diverged === undefined) identical++;
      }
    } catch (error) {
      // After an error the remaining replays cannot run, and count as different.
      if (!(error instanceof HarnessError)) throw error;
    } finally {
      await executor.close();
    }
    return { identical, of };
  }

  /** A bug whose depth has crashes gets a server that no other bug uses. */
  async #on<T>({ faults }: Depth, work: (server: Server) => Promise<T>): Promise<T> {
    if (!faults.includes("crash")) return work(this.#server);
    const killable = await this.#options.killableServer();
    try {
      return await work(killable);
    } finally {
      await killable.stop();
    }
  }
}

function findingsOf({ checkers, executions, elapsedMs }: MutantCampaign): CheckerFinding[] {
  return checkers.map((checker) => ({ checker, executions, elapsedMs }));
}

function outcomeOf(
  campaigns: readonly MutantCampaign[],
  catching: MutantCampaign | undefined,
  wanted: string | undefined,
): SeededBugResult["outcome"] {
  if (catching !== undefined) return "caught";
  if (wanted === undefined && campaigns.some(({ verdict }) => verdict === "fail")) {
    return "false alarm";
  }
  if (campaigns.some(({ verdict }) => verdict === "unknown")) return "unknown";
  return wanted === undefined ? "equivalent" : "survived";
}

/** A bug that survived, a false alarm, or a replay that differs is a failure. */
function verdictOf(
  results: readonly SeededBugResult[],
  baseline: readonly BaselineResult[],
  interrupted: boolean,
): Verdict {
  const failed =
    results.some(({ outcome }) => outcome === "survived" || outcome === "false alarm") ||
    results.some(({ replays }) => replays !== null && replays.identical < replays.of) ||
    baseline.some(({ verdict }) => verdict === "fail");
  if (failed) return "fail";
  const unknown =
    interrupted ||
    results.some(({ outcome }) => outcome === "unknown") ||
    baseline.some(({ verdict }) => verdict !== "pass");
  return unknown ? "unknown" : "pass";
}
