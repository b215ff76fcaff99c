import { Checkers, checkersOf } from "../checkers/registry.ts";
import type { Counterexample } from "../core/counterexample.ts";
import { HarnessError } from "../core/error.ts";
import { endsProcess, FAULT_GROUPS } from "../core/fault.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Executor } from "../execution/executor.ts";
import type { Environment } from "../explorer/campaign.ts";
import { DEFAULTS } from "../explorer/defaults.ts";
import { hashSources } from "../explorer/provenance.ts";
import { replay } from "../explorer/replay.ts";
import { shrunkCounterexample } from "../explorer/shrunk-counterexample.ts";
import type { Server } from "../postgres/provider.ts";
import { openExecutor } from "../service/open-executor.ts";
import type { SeededBug, Service } from "../service/service.ts";
import { type Finding, type Hunted, type HuntOptions, hunt } from "./search-until-found.ts";
import type { BaselineResult, CheckerFinding, SeededBugResult } from "./seeded-report.ts";
import { Ways } from "./solo-runs.ts";

export interface SeededBugOptions extends Omit<HuntOptions, "enough" | "faults" | "baseline"> {
  /** Whether to go on to the end of the budget, so that every checker has its chance. */
  readonly allCheckers: boolean;
  /** How often a counterexample is replayed. */
  readonly replays: number;
  readonly shrinkTimeMs: number;
  readonly stepTimeoutMs: number;
  /** Starts a server that can be killed. */
  readonly killableServer: () => Promise<Server>;
}

/** How deep control goes, and whether faults strike. */
export type Depth = Pick<SeededBugResult, "gates" | "faults">;

/** What it takes to see a bug. */
export function depthOf(mutant: SeededBug): Depth {
  const depth = "depth" in mutant ? mutant.depth : "routine";
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
      return { gates: DEFAULTS.control.gates, faults: [] };
    case "row":
      return { gates: [...DEFAULTS.control.gates, "row"], faults: [] };
  }
}

/** How many times as long executions take in which processes are started anew: so many fewer there are. */
const SLOWER = 10;

/** What a model's seeded bugs are tried on. */
export class SeededBugTrial<State extends Json, Op extends Operation> {
  readonly #server: Server;
  readonly #service: Service<State, Op>;
  readonly #environment: Environment;
  readonly #options: SeededBugOptions;
  #baseline: Promise<Ways> | undefined;

  constructor(
    server: Server,
    service: Service<State, Op>,
    environment: Environment,
    options: SeededBugOptions,
  ) {
    this.#server = server;
    this.#service = service;
    this.#environment = environment;
    this.#options = options;
  }

  /** Looks for one seeded bug on a database of its own, shrinks what is found, and replays it. */
  async mutant(mutant: SeededBug): Promise<SeededBugResult> {
    const depth = depthOf(mutant);
    const wanted = "checker" in mutant ? mutant.checker : undefined;
    const enough = (checkers: readonly string[]) =>
      wanted === undefined ? checkers.length > 0 : checkers.includes(wanted);
    this.#baseline ??= this.#ways();
    const baseline = await this.#baseline;
    const { hunted, counterexample } = await this.#on(depth, mutant.name, async (executor) => {
      const hunted = await this.#hunt(executor, depth, enough, baseline);
      const finding =
        hunted.findings.find(({ checker }) => checker === wanted) ?? hunted.findings[0];
      // After an error an executor can only be closed.
      const shrinks = finding !== undefined && hunted.error === undefined;
      const counterexample = shrinks && (await this.#shrunk(executor, depth, mutant, finding));
      return { hunted, counterexample: counterexample || null };
    });
    const replays =
      counterexample &&
      (await this.#on(depth, mutant.name, (executor) => this.#replays(executor, counterexample)));
    const { executions, elapsedMs } = hunted;
    return {
      name: mutant.name,
      story: mutant.story,
      checker: wanted ?? null,
      equivalent: "equivalent" in mutant ? mutant.equivalent : null,
      ...depth,
      outcome: outcomeOf(hunted, wanted),
      checkers: hunted.findings.map(first),
      executions,
      elapsedMs,
      counterexample,
      smallest: "smallest" in mutant ? mutant.smallest : null,
      replays,
      reason: hunted.error?.message ?? hunted.undecided ?? null,
    };
  }

  /** The service without a bug: nothing may be found. */
  async unmutated(depth: Depth): Promise<BaselineResult> {
    const hunted = await this.#on(depth, undefined, (executor) =>
      this.#hunt(executor, depth, (checkers) => checkers.length > 0),
    );
    const { findings, executions, elapsedMs, error, undecided } = hunted;
    const reason = error?.message ?? undecided ?? null;
    return {
      ...depth,
      verdict: findings.length > 0 ? "fail" : reason === null ? "pass" : "unknown",
      executions,
      elapsedMs,
      checkers: findings.map(first),
      reason: findings[0]?.violations[0]?.message ?? reason,
    };
  }

  /** Of the service without a bug. */
  #ways(): Promise<Ways> {
    const depth: Depth = { gates: ["statement"], faults: [] };
    return this.#on(depth, undefined, (executor) => Ways.of(executor, this.#service));
  }

  async #on<T>(
    { gates, faults }: Depth,
    mutant: string | undefined,
    work: (executor: Executor<State, Op>) => Promise<T>,
  ): Promise<T> {
    // What is killed is nobody else's.
    const own = faults.includes("crash") ? await this.#options.killableServer() : undefined;
    try {
      const executor = await openExecutor(own ?? this.#server, this.#service, mutant, {
        control: { ...DEFAULTS.control, gates },
        faults,
        stepTimeoutMs: this.#options.stepTimeoutMs,
        signal: this.#options.signal,
      });
      try {
        return await work(executor);
      } finally {
        await executor.close();
      }
    } finally {
      await own?.stop();
    }
  }

  #hunt(
    executor: Executor<State, Op>,
    { faults }: Depth,
    enough: (checkers: readonly string[]) => boolean,
    baseline?: Ways,
  ): Promise<Hunted<State, Op>> {
    const { runs } = this.#options;
    return hunt(executor, this.#service, new Checkers(checkersOf(this.#service)), {
      ...this.#options,
      runs: faults.some(endsProcess) ? Math.ceil(runs / SLOWER) : runs,
      faults,
      baseline,
      enough: (checkers) => !this.#options.allCheckers && enough(checkers),
    });
  }

  async #shrunk(
    executor: Executor<State, Op>,
    { gates }: Depth,
    { name }: SeededBug,
    finding: Finding<State, Op>,
  ): Promise<Counterexample<State, Op>> {
    const { shrinkTimeMs, signal, seed } = this.#options;
    const { counterexample } = await shrunkCounterexample(finding, {
      executor,
      service: this.#service,
      checkers: new Checkers(checkersOf(this.#service)),
      tree: undefined,
      timeMs: shrinkTimeMs,
      signal,
      onExecution: () => {},
    });
    const { heddle, postgres } = this.#environment;
    return {
      ...counterexample,
      version: 1,
      service: this.#service.name,
      mutant: name,
      control: { ...DEFAULTS.control, gates },
      seed,
      execution: finding.executions - 1,
      versions: { heddle, postgres: postgres.version },
      hashes: await hashSources(this.#service.sources),
    };
  }

  async #replays(
    executor: Executor<State, Op>,
    counterexample: Counterexample<State, Op>,
  ): Promise<{ readonly identical: number; readonly of: number }> {
    const of = this.#options.replays;
    let identical = 0;
    try {
      for (let done = 0; done < of; done++) {
        const { diverged } = await replay(executor, this.#service, counterexample);
        if (diverged === undefined) identical++;
      }
    } catch (error) {
      if (!(error instanceof HarnessError)) throw error; // Those that were left are not identical.
    }
    return { identical, of };
  }
}

function first({ checker, executions, elapsedMs }: CheckerFinding): CheckerFinding {
  return { checker, executions, elapsedMs };
}

function outcomeOf<State extends Json, Op extends Operation>(
  { findings, error, undecided }: Hunted<State, Op>,
  wanted: string | undefined,
): SeededBugResult["outcome"] {
  if (wanted === undefined && findings.length > 0) return "false alarm";
  if (findings.some(({ checker }) => checker === wanted)) return "caught";
  if (error !== undefined || undecided !== undefined) return "unknown";
  return wanted === undefined ? "equivalent" : "survived";
}
