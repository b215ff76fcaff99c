import { randomInt } from "node:crypto";
import { mkdir } from "node:fs/promises";
import type { GateLevel, Isolation } from "../core/control.ts";
import { HarnessError } from "../core/error.ts";
import type { Fault } from "../core/fault.ts";
import { DEFAULTS } from "../defaults.ts";
import type { JudgeName } from "../explorer/judge.ts";
import type { Bounds, Subject } from "../explorer/subject.ts";
import { startServer } from "../postgres/provider.ts";
import { RegressionFolder } from "../regressions/regression-folder.ts";
import { writeEvidence } from "../reporters/evidence-files.ts";
import { reportJson } from "../reporters/json.ts";
import { summary } from "../reporters/summary.ts";
import { counterexampleText } from "../reporters/text.ts";
import { writeReports } from "../reporters/write.ts";
import { strategies } from "../scheduler/strategies.ts";
import { verify } from "../verify.ts";
import { exitCodeOfCampaign } from "./exit-code.ts";
import { tellGithub } from "./github.ts";
import { interruption } from "./interruption.ts";
import { ProgressLine } from "./progress-line.ts";

export interface VerifyOptions {
  readonly seed?: number;
  readonly runs?: number;
  readonly time?: number;
  readonly clients?: Bounds;
  readonly strategy: string;
  readonly pairs?: boolean;
  readonly preemptions: number;
  readonly faults: readonly Fault[];
  readonly reduction: boolean;
  readonly checkDeterminism?: boolean;
  readonly gates: readonly GateLevel[];
  readonly isolation: Isolation;
  readonly judges: readonly JudgeName[];
  readonly postgres: string;
  readonly reuse?: boolean;
  readonly mutant?: string;
  readonly report: string;
  readonly json?: boolean;
  readonly stepTimeout: number;
  readonly shrinkTime: number;
}

/** `heddle verify` and `heddle run`: one campaign, its reports, and the exit code. */
export async function verifyCommand(
  subject: Subject,
  file: string,
  options: VerifyOptions,
): Promise<number> {
  const pairs = options.pairs === true;
  const unlimited = !pairs && options.runs === undefined && options.time === undefined;
  const limits = { runs: unlimited ? DEFAULTS.runs : options.runs, timeMs: options.time };
  const interrupted = interruption();
  const strategy =
    strategies(options).find(({ name }) => name === options.strategy) ?? DEFAULTS.strategy;
  if (options.faults.length > 0 && !strategy.strikes) {
    throw new HarnessError(
      "USAGE",
      `no fault strikes under the strategy ${strategy.name}: give --strategy auto, pct or random, or --faults none`,
    );
  }
  // Reports that cannot be written are an error before the work, not after it.
  await writable(options.report);
  const server = await startServer(options.postgres, { reuse: options.reuse === true });
  const progress = new ProgressLine(process.stderr, limits);
  try {
    process.stderr.write(`${server.description}\n`);
    const { campaign, error } = await verify(server, subject, {
      ...limits,
      seed: options.seed ?? randomInt(2 ** 31),
      bounds: options.clients ?? DEFAULTS.bounds,
      pairs,
      strategy,
      control: { gates: options.gates, isolation: options.isolation },
      checkDeterminism: options.checkDeterminism === true,
      judges: options.judges,
      mutant: options.mutant,
      regressions: RegressionFolder.of(file, subject.name),
      stepTimeoutMs: options.stepTimeout,
      shrinkTimeMs: options.shrinkTime,
      signal: interrupted.signal,
      onProgress: (now) => progress.show(now),
    });
    progress.clear();
    const written = await writeReports(options.report, campaign);
    await writeEvidence(options.report, written, subject.sources);
    await tellGithub(campaign, options.report);
    if (options.json) process.stdout.write(reportJson(campaign, options.report));
    else {
      const view = {
        colour: process.stdout.isTTY && process.stdout.hasColors(),
        folder: options.report,
      };
      for (const found of campaign.counterexamples) {
        process.stdout.write(`${counterexampleText(found, view)}\n`);
      }
      process.stdout.write(summary(campaign, view));
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

async function writable(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((cause: unknown) => {
    throw new HarnessError(
      "USAGE",
      `the folder ${folder} cannot be made: name another one with --report`,
      { cause },
    );
  });
}
