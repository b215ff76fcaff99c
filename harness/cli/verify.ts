import { execFile } from "node:child_process";
import { randomInt } from "node:crypto";
import { rm } from "node:fs/promises";
import path, { resolve } from "node:path";
import { promisify } from "node:util";
import { type Command, Option } from "commander";
import { CHECKERS, type CheckerName } from "../checkers/registry.ts";
import type { GateName, Isolation } from "../core/control.ts";
import { HarnessError } from "../core/error.ts";
import type { Fault } from "../core/fault.ts";
import { faultsIn } from "../core/schedule.ts";
import { installFreezing } from "../execution/frozen-globals.ts";
import { makeFolder } from "../explorer/atomic-write.ts";
import { DEFAULTS } from "../explorer/defaults.ts";
import { RegressionFolder } from "../explorer/regressions.ts";
import type { Shard, ShardPart } from "../explorer/shards.ts";
import { verify } from "../explorer/verify.ts";
import { loadScenario, locateService } from "../loading/load-service.ts";
import { mutantNamed } from "../mutation/derivation.ts";
import { startServer } from "../postgres/provider.ts";
import { redactedCampaign } from "../reporters/redacted-reports.ts";
import type { Redaction } from "../reporters/redaction.ts";
import { FILES } from "../reporters/report-files.ts";
import { writeShard } from "../reporters/shard-file.ts";
import { type StrategyName, strategies, strategyNamed } from "../scheduler/strategies.ts";
import type { Bounds, Service } from "../service/service.ts";
import { changeSince } from "./changed-files.ts";
import { exitCodeOfCampaign, interruption } from "./exit.ts";
import {
  addHiddenAlias,
  checkerNames,
  clientBounds,
  durationMs,
  FROM_COMMIT,
  faultKinds,
  freeze,
  gates,
  invariantFiles,
  isolation,
  observationNamed,
  POSTGRES,
  positiveNumber,
  preemptionBound,
  REUSE,
  redact,
  SEED,
  SERVICE,
  seedOrCommit,
  shardOf,
  shrinkTime,
  stepTimeout,
  strategyName,
  workerCount,
} from "./options.ts";
import { ProgressLine } from "./progress-line.ts";
import { forReplay, loadGivenService } from "./project.ts";
import { publish } from "./publish.ts";
import { withInvariants } from "./sql-files.ts";
import { requireFolder } from "./writable.ts";

export interface CampaignCommandOptions {
  readonly seed?: number | typeof FROM_COMMIT;
  readonly scenarios?: number;
  readonly shard?: Shard;
  readonly failFast?: boolean;
  readonly runs?: number;
  readonly time?: number;
  readonly clients?: Bounds;
  readonly strategy: StrategyName;
  readonly pairs?: boolean;
  /** The revision that a change is compared with. */
  readonly changed?: string;
  readonly preemptions: number;
  readonly faults: readonly Fault[];
  readonly reduction: boolean;
  readonly checkDeterminism?: boolean;
  readonly invariants?: "each-commit";
  readonly fresh?: boolean;
  /** In ISO 8601. */
  readonly freeze?: string;
  readonly invariant?: readonly string[];
  readonly gates: readonly GateName[];
  readonly isolation?: Isolation;
  readonly checkers: readonly CheckerName[];
  readonly postgres: string;
  readonly reuse?: boolean;
  readonly workers?: number;
  readonly mutant?: string;
  readonly report: string;
  readonly json?: boolean;
  readonly redact?: Redaction;
  readonly stepTimeout: number;
  readonly shrinkTime: number;
}

/** `heddle verify`: one campaign, its reports, and the exit code. */
export function addVerify(command: Command, finished: (exitCode: number) => void): void {
  command.argument("[service]", SERVICE);
  addCampaignOptions(command)
    .addOption(stepTimeout())
    .addOption(invariantFiles())
    .option("--scenarios <number>", "the most scenarios (default: no limit)", positiveNumber)
    .option(
      "--shard <number/of>",
      "explore only this part of --scenarios or --pairs, such as 2/4",
      shardOf,
    )
    .addOption(
      new Option("--clients <range>", "the number of concurrent clients")
        .argParser(clientBounds)
        .default(DEFAULTS.bounds, "2-4"),
    )
    .addOption(
      new Option(
        "--pairs",
        "explore every pair of the service's operations instead of generated scenarios",
      ).implies({ strategy: DEFAULTS.pairStrategy }),
    )
    .addOption(
      new Option(
        "--changed [revision]",
        "explore the pairs that the change since a revision concerns (default: what is not committed)",
      )
        .preset("HEAD")
        .implies({ pairs: true, strategy: DEFAULTS.pairStrategy }),
    )
    .option("--workers <number>", "the number of processes", workerCount, DEFAULTS.workers)
    .option(
      "--mutant <name>",
      "plant one of the service's seeded bugs, or a mutant of its schema (derived:…)",
    )
    .action(async (given: string | undefined, options: CampaignCommandOptions) => {
      await requireFolder(options.report, "--report");
      const { name, service } = await loadGivenService(given, options.invariant);
      if (service.single && command.getOptionValueSource("clients") === "cli") {
        throw new HarnessError(
          "USAGE",
          `${service.name} has a single scenario, which names its clients: leave out --clients`,
        );
      }
      finished(await runCampaign(service, locateService(name), options));
    });
}

/** `heddle run`: a campaign on a scenario file. */
export function addRun(command: Command, finished: (exitCode: number) => void): void {
  command.argument(
    "<file>",
    "a .ts, .js or .mjs file with a defineScenario(…) or defineService(…)",
  );
  addCampaignOptions(command)
    .addOption(stepTimeout())
    .addOption(invariantFiles())
    .action(async (file: string, options: CampaignCommandOptions) => {
      await requireFolder(options.report, "--report");
      if (options.freeze !== undefined) installFreezing();
      const service = forReplay(await loadScenario(file), undefined, options.invariant);
      finished(await runCampaign(service, resolve(file), options));
    });
}

/** Adds the options that every campaign has: of a service, a scenario or a spec. */
export function addCampaignOptions(command: Command): Command {
  command
    .option("--seed <number>", `${SEED}; or from-commit`, seedOrCommit)
    .option(
      "--runs <number>",
      `the most executions (default: ${DEFAULTS.runs} without another limit)`,
      positiveNumber,
    )
    .option("--time <duration>", "the time limit, such as 90s or 10m", durationMs)
    .option("--fail-fast", "stop at the first violation (default, except for a service definition)")
    .option(
      "--no-fail-fast",
      "continue after a violation, and report the first of each rule, or of each group of operations",
    )
    .addOption(
      new Option("--strategy <name>", strategyHelp())
        .argParser(strategyName)
        .default(DEFAULTS.strategy),
    )
    .addOption(
      new Option("--preemptions <number>", "the most preemptions of an exhaustive search, or all")
        .argParser(preemptionBound)
        .default(DEFAULTS.preemptions),
    )
    .option("--no-reduction", "with --preemptions all, execute equivalent interleavings as well")
    .option("--check-determinism", "execute each schedule twice, and compare the executions")
    .addOption(
      new Option(
        "--faults <kinds>",
        "the faults to inject: none, connection, all, service, server, or names of faults",
      )
        .argParser(faultKinds)
        .default(DEFAULTS.faults, "none"),
    )
    .addOption(
      new Option("--invariants <when>", "when invariants are checked: end, or each-commit")
        .argParser(observationNamed)
        .default(undefined, "end"),
    )
    .addOption(freeze())
    .option("--fresh", "start the service, and load the clients' module, for each execution")
    .addOption(gates())
    .addOption(isolation())
    .addOption(
      new Option("--checkers <names>", `the checkers to apply: ${CHECKERS.join(", ")}`)
        .argParser(checkerNames)
        .default(CHECKERS, "all"),
    )
    .option("--postgres <which>", POSTGRES, "auto")
    .option("--reuse", REUSE)
    .option("--report <folder>", "the folder for report.json and report.html", "reports")
    .addOption(redact())
    .option("--json", "print report.json instead of the summary")
    .addOption(shrinkTime());
  addHiddenAlias(command, "--judges <names>", "--checkers");
  return command;
}

function strategyHelp(): string {
  return strategies(DEFAULTS)
    .map(({ name, description }) => `${name}: ${description}`)
    .join("; ");
}

/**
 * Runs a campaign, writes and prints its reports.
 *
 * @param file where `loaded` was loaded from; regressions are stored beside it
 * @returns the exit code
 */
export async function runCampaign(
  loaded: Service,
  file: string,
  options: CampaignCommandOptions,
): Promise<number> {
  const service = await withInvariants(loaded, options.invariant ?? []);
  const pairs = options.pairs === true;
  const { shard, scenarios } = options;
  if (shard !== undefined && !pairs && (scenarios === undefined || service.single)) {
    throw new HarnessError(
      "USAGE",
      "--shard needs --scenarios or --pairs, and a service with several scenarios",
    );
  }
  const limited = [options.runs, options.time, scenarios].some((limit) => limit !== undefined);
  const unlimited = !pairs && !limited;
  const limits = { runs: unlimited ? DEFAULTS.runs : options.runs, timeMs: options.time };
  const interrupted = interruption();
  const { preemptions, reduction, faults } = options;
  const { strategy } = options;
  if (faults.length > 0 && !strategyNamed(strategy, options).injectsFaults) {
    throw new HarnessError(
      "USAGE",
      `the strategy ${strategy} injects no faults: give --strategy auto, pct or random, or --faults none`,
    );
  }
  const regressions = RegressionFolder.of(file, service.name);
  const stored = options.mutant === undefined ? await regressions.read(service.name) : [];
  const storedFaults = stored.flatMap(({ regression }) => faultsIn(regression.schedule));
  const server = await startServer(options.postgres, {
    reuse: options.reuse === true,
    faults: [...options.faults, ...storedFaults].includes("crash"),
  });
  const progress = new ProgressLine(process.stderr, limits);
  try {
    process.stderr.write(`${server.description}\n`);
    if (options.gates.includes("definition") && !server.superuser) {
      process.stderr.write(
        "gates after changes of the schema need a superuser, and are left out\n",
      );
    }
    const {
      campaign: whole,
      error,
      total,
    } = await verify(server, service, {
      ...limits,
      seed: await seedOf(options),
      scenarios,
      shard,
      failFast: options.failFast,
      bounds: options.clients ?? DEFAULTS.bounds,
      pairs,
      change: options.changed === undefined ? undefined : await changeSince(options.changed, file),
      ...{ strategy, preemptions, reduction, faults },
      checkDeterminism: options.checkDeterminism === true,
      checkers: options.checkers,
      control: {
        gates: options.gates,
        ...(options.isolation && { isolation: options.isolation }),
        ...(options.invariants && { observe: options.invariants }),
        ...(options.fresh === true && { fresh: true }),
        ...(options.freeze !== undefined && { freeze: options.freeze }),
      },
      mutant: options.mutant && (await mutantNamed(server, service, options.mutant)),
      workers:
        options.workers === undefined ? undefined : { count: options.workers, serviceFile: file },
      regressions: regressions.path,
      stepTimeoutMs: options.stepTimeout,
      shrinkTimeMs: options.shrinkTime,
      serviceLog: await serviceLogIn(options.report, service),
      signal: interrupted.signal,
      onProgress: (now) => progress.show(now),
    });
    progress.clear();
    const campaign = redactedCampaign(whole, options.redact);
    await publish(campaign, {
      folder: options.report,
      json: options.json === true,
      sources: service.sources,
    });
    if (shard !== undefined) {
      const part: ShardPart = {
        shard,
        scenarios: pairs ? null : (scenarios ?? null),
        campaign,
        total,
      };
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

/**
 * The seed of the commit that is checked out: a commit always has the same one, so that a failed
 * build fails again.
 */
export async function seedFromCommit(): Promise<number> {
  try {
    const { stdout } = await promisify(execFile)("git", ["rev-parse", "HEAD"]);
    return Number.parseInt(stdout.slice(0, 8), 16) | 0;
  } catch (cause) {
    throw new HarnessError(
      "USAGE",
      "there is no commit to take the seed from: run in a git repository, or give --seed a number",
      { cause },
    );
  }
}

async function seedOf({ seed }: CampaignCommandOptions): Promise<number> {
  return seed === FROM_COMMIT ? seedFromCommit() : (seed ?? randomInt(2 ** 31));
}

/** The file for the standard error of a service that Heddle starts, without that of an earlier run. */
async function serviceLogIn(folder: string, { ownProcess }: Service): Promise<string | undefined> {
  if (ownProcess !== true) return undefined;
  const file = path.join(folder, FILES.serviceLog);
  await rm(file, { force: true });
  await makeFolder(folder);
  return file;
}
