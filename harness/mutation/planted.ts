import type { Environment } from "../core/campaign.ts";
import type { Command } from "../core/command.ts";
import type { Counterexample } from "../core/counterexample.ts";
import { HarnessError } from "../core/error.ts";
import { endsProcess, FAULT_GROUPS } from "../core/fault.ts";
import type { Json } from "../core/json.ts";
import type { JudgedFirst, PlantedResult, Shipped } from "../core/planted.ts";
import { DEFAULTS } from "../defaults.ts";
import type { Executor } from "../execution/executor.ts";
import { Judges, judgesOf } from "../explorer/judge.ts";
import { replay } from "../explorer/replay.ts";
import { shrunkCounterexample } from "../explorer/shrunk-counterexample.ts";
import { hashSources } from "../explorer/sources.ts";
import type { Mutant, Subject } from "../explorer/subject.ts";
import type { Server } from "../postgres/provider.ts";
import { openExecutor } from "../verify.ts";
import { type Finding, type Hunted, type HuntOptions, hunt } from "./hunt.ts";
import { Ways } from "./ways.ts";

export interface PlantedOptions extends Omit<HuntOptions, "enough" | "faults" | "shipped"> {
  /** Whether to go on to the end of the budget, so that every judge has its chance. */
  readonly allJudges: boolean;
  /** How often a counterexample is replayed. */
  readonly replays: number;
  readonly shrinkTimeMs: number;
  readonly stepTimeoutMs: number;
  /** Starts a server that can be killed. */
  readonly mortalServer: () => Promise<Server>;
}

/** How deep control goes, and whether faults strike. */
export type Depth = Pick<PlantedResult, "gates" | "faults">;

/** What it takes to see a bug. */
export function depthOf(mutant: Mutant): Depth {
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

/** What a model's planted bugs are tried on. */
export class PlantedTrial<State extends Json, C extends Command> {
  readonly #server: Server;
  readonly #subject: Subject<State, C>;
  readonly #environment: Environment;
  readonly #options: PlantedOptions;
  #shipped: Promise<Ways> | undefined;

  constructor(
    server: Server,
    subject: Subject<State, C>,
    environment: Environment,
    options: PlantedOptions,
  ) {
    this.#server = server;
    this.#subject = subject;
    this.#environment = environment;
    this.#options = options;
  }

  /** Looks for one planted bug on a database of its own, shrinks what is found, and replays it. */
  async mutant(mutant: Mutant): Promise<PlantedResult> {
    const depth = depthOf(mutant);
    const wanted = "judge" in mutant ? mutant.judge : undefined;
    const enough = (judges: readonly string[]) =>
      wanted === undefined ? judges.length > 0 : judges.includes(wanted);
    this.#shipped ??= this.#ways();
    const shipped = await this.#shipped;
    const { hunted, counterexample } = await this.#on(depth, mutant.name, async (executor) => {
      const hunted = await this.#hunt(executor, depth, enough, shipped);
      const finding = hunted.findings.find(({ judge }) => judge === wanted) ?? hunted.findings[0];
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
      judge: wanted ?? null,
      equivalent: "equivalent" in mutant ? mutant.equivalent : null,
      ...depth,
      outcome: outcomeOf(hunted, wanted),
      judges: hunted.findings.map(first),
      executions,
      elapsedMs,
      counterexample,
      smallest: "smallest" in mutant ? mutant.smallest : null,
      replays,
      reason: hunted.error?.message ?? hunted.undecided ?? null,
    };
  }

  /** The service as shipped: nothing may be found. */
  async unmutated(depth: Depth): Promise<Shipped> {
    const hunted = await this.#on(depth, undefined, (executor) =>
      this.#hunt(executor, depth, (judges) => judges.length > 0),
    );
    const { findings, executions, elapsedMs, error, undecided } = hunted;
    const reason = error?.message ?? undecided ?? null;
    return {
      ...depth,
      verdict: findings.length > 0 ? "fail" : reason === null ? "pass" : "unknown",
      executions,
      elapsedMs,
      judges: findings.map(first),
      reason: findings[0]?.violations[0]?.message ?? reason,
    };
  }

  /** Of the service as shipped. */
  #ways(): Promise<Ways> {
    const depth: Depth = { gates: ["statement"], faults: [] };
    return this.#on(depth, undefined, (executor) => Ways.of(executor, this.#subject));
  }

  async #on<T>(
    { gates, faults }: Depth,
    mutant: string | undefined,
    work: (executor: Executor<State, C>) => Promise<T>,
  ): Promise<T> {
    // What is killed is nobody else's.
    const own = faults.includes("crash") ? await this.#options.mortalServer() : undefined;
    try {
      const executor = await openExecutor(own ?? this.#server, this.#subject, mutant, {
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
    executor: Executor<State, C>,
    { faults }: Depth,
    enough: (judges: readonly string[]) => boolean,
    shipped?: Ways,
  ): Promise<Hunted<State, C>> {
    const { runs } = this.#options;
    return hunt(executor, this.#subject, new Judges(judgesOf(this.#subject)), {
      ...this.#options,
      runs: faults.some(endsProcess) ? Math.ceil(runs / SLOWER) : runs,
      faults,
      shipped,
      enough: (judges) => !this.#options.allJudges && enough(judges),
    });
  }

  async #shrunk(
    executor: Executor<State, C>,
    { gates }: Depth,
    { name }: Mutant,
    finding: Finding<State, C>,
  ): Promise<Counterexample<State, C>> {
    const { shrinkTimeMs, signal, seed } = this.#options;
    const { counterexample } = await shrunkCounterexample(finding, {
      executor,
      subject: this.#subject,
      judges: new Judges(judgesOf(this.#subject)),
      timeMs: shrinkTimeMs,
      signal,
      onExecution: () => {},
    });
    const { heddle, postgres } = this.#environment;
    return {
      ...counterexample,
      version: 1,
      model: this.#subject.name,
      mutant: name,
      control: { ...DEFAULTS.control, gates },
      seed,
      execution: finding.executions - 1,
      versions: { heddle, postgres: postgres.version },
      hashes: await hashSources(this.#subject.sources),
    };
  }

  async #replays(
    executor: Executor<State, C>,
    counterexample: Counterexample<State, C>,
  ): Promise<{ readonly identical: number; readonly of: number }> {
    const of = this.#options.replays;
    let identical = 0;
    try {
      for (let done = 0; done < of; done++) {
        const { diverged } = await replay(executor, this.#subject, counterexample);
        if (diverged === undefined) identical++;
      }
    } catch (error) {
      if (!(error instanceof HarnessError)) throw error; // Those that were left are not identical.
    }
    return { identical, of };
  }
}

function first({ judge, executions, elapsedMs }: JudgedFirst): JudgedFirst {
  return { judge, executions, elapsedMs };
}

function outcomeOf<State extends Json, C extends Command>(
  { findings, error, undecided }: Hunted<State, C>,
  wanted: string | undefined,
): PlantedResult["outcome"] {
  if (wanted === undefined && findings.length > 0) return "false alarm";
  if (findings.some(({ judge }) => judge === wanted)) return "caught";
  if (error !== undefined || undecided !== undefined) return "unknown";
  return wanted === undefined ? "untold" : "survived";
}
