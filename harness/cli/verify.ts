import { randomInt } from "node:crypto";
import { mkdir } from "node:fs/promises";
import type { GateLevel, Isolation } from "../core/control.ts";
import { HarnessError } from "../core/error.ts";
import type { Fault } from "../core/fault.ts";
import { faultsIn } from "../core/schedule.ts";
import type { CheckerName } from "../explorer/checkers.ts";
import { DEFAULTS } from "../explorer/defaults.ts";
import type { Part } from "../explorer/merge.ts";
import { RegressionFolder } from "../explorer/regression-folder.ts";
import type { Shard } from "../explorer/shard.ts";
import { verify } from "../explorer/verify.ts";
import { mutantNamed } from "../mutation/derivation.ts";
import { startServer } from "../postgres/provider.ts";
import { writeShard } from "../reporters/shard-file.ts";
import { strategies } from "../scheduler/strategies.ts";
import type { Bounds, Service } from "../service/service.ts";
import { exitCodeOfCampaign } from "./exit-code.ts";
import { interruption } from "./interruption.ts";
import { ProgressLine } from "./progress-line.ts";
import { publish } from "./publish.ts";
import { FROM_COMMIT, seedFromCommit } from "./seed-from-commit.ts";
import { withInvariants } from "./sql-files.ts";

export interface VerifyCommandOptions {
  readonly seed?: number | typeof FROM_COMMIT;
  readonly scenarios?: number;
  readonly shard?: Shard;
  readonly failFast: boolean;
  readonly runs?: number;
  readonly time?: number;
  readonly clients?: Bounds;
  readonly strategy: string;
  readonly pairs?: boolean;
  readonly preemptions: number;
  readonly faults: readonly Fault[];
  readonly reduction: boolean;
  readonly checkDeterminism?: boolean;
  readonly invariants?: "each-commit";
  readonly invariant?: readonly string[];
  readonly gates: readonly GateLevel[];
  readonly isolation: Isolation;
  readonly checkers: readonly CheckerName[];
  readonly postgres: string;
  readonly reuse?: boolean;
  readonly workers?: number;
  readonly mutant?: string;
  readonly report: string;
  readonly json?: boolean;
  readonly stepTimeout: number;
  readonly shrinkTime: number;
}

/** `heddle verify` and `heddle run`: one campaign, its reports, and the exit code. */
export async function verifyCommand(
  model: Service,
  file: string,
  options: VerifyCommandOptions,
): Promise<number> {
  const service = await withInvariants(model, options.invariant ?? []);
  const pairs = options.pairs === true;
  const { shard, scenarios } = options;
  if (shard !== undefined && !pairs && (scenarios === undefined || service.single)) {
    throw new HarnessError(
      "USAGE",
      "shards share scenarios: give --shard together with --scenarios or --pairs, and a model that has several",
    );
  }
  const given = [options.runs, options.time, scenarios].filter((limit) => limit !== undefined);
  const unlimited = !pairs && given.length === 0;
  const limits = { runs: unlimited ? DEFAULTS.runs : options.runs, timeMs: options.time };
  const interrupted = interruption();
  const { preemptions, reduction, faults } = options;
  const strategyOptions = { preemptions, reduction, faults };
  const strategy =
    strategies(strategyOptions).find(({ name }) => name === options.strategy) ?? DEFAULTS.strategy;
  if (options.faults.length > 0 && !strategy.injectsFaults) {
    throw new HarnessError(
      "USAGE",
      `no fault strikes under the strategy ${strategy.name}: give --strategy auto, pct or random, or --faults none`,
    );
  }
  // Reports that cannot be written are an error before the work, not after it.
  await writable(options.report);
  const regressions = RegressionFolder.of(file, service.name);
  const kept = options.mutant === undefined ? await regressions.kept(service.name) : [];
  const known = kept.flatMap(({ regression }) => faultsIn(regression.schedule));
  const server = await startServer(options.postgres, {
    reuse: options.reuse === true,
    faults: [...options.faults, ...known].includes("crash"),
  });
  const progress = new ProgressLine(process.stderr, limits);
  try {
    process.stderr.write(`${server.description}\n`);
    const { campaign, error, total } = await verify(server, service, {
      ...limits,
      seed: await seedOf(options),
      scenarios,
      shard,
      failFast: options.failFast,
      bounds: options.clients ?? DEFAULTS.bounds,
      pairs,
      strategy,
      checkDeterminism: options.checkDeterminism === true,
      checkers: options.checkers,
      control: {
        gates: options.gates,
        isolation: options.isolation,
        ...(options.invariants && { observe: options.invariants }),
      },
      mutant: options.mutant && (await mutantNamed(server, service, options.mutant)),
      workers:
        options.workers === undefined
          ? undefined
          : { count: options.workers, serviceFile: file, strategyOptions },
      regressions,
      stepTimeoutMs: options.stepTimeout,
      shrinkTimeMs: options.shrinkTime,
      signal: interrupted.signal,
      onProgress: (now) => progress.show(now),
    });
    progress.clear();
    await publish(campaign, {
      folder: options.report,
      json: options.json === true,
      sources: service.sources,
    });
    if (shard !== undefined) {
      const part: Part = { shard, scenarios: pairs ? null : (scenarios ?? null), campaign, total };
      await writeShard(options.report, part);
    }
    const interruptedError = new HarnessError("INTERRUPTED", "interrupted");
    return exitCodeOfCampaign(
      campaign.verdict,
      interrupted.signal.aborted ? interruptedError : error,
    );
  } finally {
    progress.clear();
    await server.stop();
    interrupted.end();
  }
}

async function seedOf({ seed }: VerifyCommandOptions): Promise<number> {
  return seed === FROM_COMMIT ? seedFromCommit() : (seed ?? randomInt(2 ** 31));
}

async function writable(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((cause: unknown) => {
    throw new HarnessError(
      "USAGE",
      `the folder ${folder} cannot be made: name another one with --report`,
      { cause },
    );
  });
}
