import { stat } from "node:fs/promises";
import { cannotCheck } from "../checkers/registry.ts";
import type { Control } from "../core/control.ts";
import type { Counterexample } from "../core/counterexample.ts";
import type { HarnessError } from "../core/error.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Verdict } from "../core/verdict.ts";
import type { Executor } from "../execution/executor.ts";
import { mutantName } from "../service/open-executor.ts";
import type { Service } from "../service/service.ts";
import { BoundedExploration, type CampaignOptions } from "./bounded-exploration.ts";
import type { Campaign, Environment, Settings } from "./campaign.ts";
import { type CampaignTotals, summaryOf } from "./campaign-totals.ts";
import { controlled, REDUCED, uncontrolled } from "./control-sentences.ts";
import type { FailingExecution } from "./explore-scenario.ts";
import { covers, groupOf } from "./failures.ts";
import type { OtherExplorers } from "./parallel-exploration.ts";
import { hashSources } from "./provenance.ts";
import {
  asFound,
  type ShrunkCounterexample,
  shrunkCounterexample,
} from "./shrunk-counterexample.ts";
import type { Tally } from "./tally.ts";

/** What a campaign found, and what ended it early. */
export interface CampaignResult {
  /** The results, from which reports are made. */
  readonly campaign: Campaign;
  /** The error of the harness that ended the campaign; undefined if none did. */
  readonly error: HarnessError | undefined;
  /** The totals, to which those of other shards can be added. */
  readonly total: CampaignTotals;
}

/**
 * Executes generated scenarios, or the service's pairs of operations, each under the schedules of the
 * strategy, and checks every execution. The campaign ends at a limit or, with `failFast`, at the
 * first violation; then the first failing execution of each rule is shrunk. An error of the harness
 * ends the campaign too: the verdict is `unknown` unless a violation was found before.
 *
 * @param others explore scenarios at the same time; the result does not depend on them
 */
export async function runCampaign<State extends Json, Op extends Operation>(
  executor: Executor<State, Op>,
  service: Service<State, Op>,
  environment: Environment,
  options: CampaignOptions,
  others: OtherExplorers<State, Op> = { explorers: [], joinMs: 0 },
): Promise<CampaignResult> {
  const hashes = await hashSources(service.sources);
  const run = new BoundedExploration(executor, service, options);
  const startedAt = new Date();
  await run.explore(others);
  const exploredMs = run.elapsedMs;
  const { tally, failures } = run.exploration;
  const failing = failures.all;
  const counterexample = (
    found: ShrunkCounterexample<State, Op>,
    number: number,
  ): Counterexample<State, Op> => ({
    ...found,
    version: 3,
    service: service.name,
    mutant: options.mutant === undefined ? null : mutantName(options.mutant),
    control: controlToRepeat(found, options.control),
    seed: options.seed,
    execution: number,
    versions: { heddle: environment.heddle, postgres: environment.postgres.version },
    ...(service.clientNames && { names: service.clientNames }),
    ...(service.replayWith && { replayWith: service.replayWith }),
    hashes,
  });
  const counterexamples: Counterexample<State, Op>[] = [];
  const byOperations = service.byOperations === true;
  let error = run.exploration.error;
  const shrunk = async (
    failure: FailingExecution<State, Op>,
    tree: ReturnType<typeof run.treeOf>,
  ): Promise<ShrunkCounterexample<State, Op>> => {
    const found = await shrunkCounterexample(failure, {
      executor,
      service,
      checkers: run.checkers,
      tree,
      timeMs: options.shrinkTimeMs,
      signal: options.signal,
      onExecution: () => run.progress("shrinking"),
    });
    error ??= found.error;
    return found.counterexample;
  };
  for (const failure of failing) {
    const { executionNumber } = failure;
    const file = await options.onViolation?.(counterexample(asFound(failure), executionNumber));
    const smallest = counterexample(await shrunk(failure, run.treeOf(failure)), executionNumber);
    const finding = groupOf(smallest, byOperations);
    const isKnown = counterexamples.some((other) => covers(groupOf(other, byOperations), finding));
    if (!isKnown) counterexamples.push(smallest);
    await options.onShrunk?.(isKnown ? undefined : smallest, file);
  }
  const never = neverAgain(counterexamples);
  const { failingRegressions = [] } = options;
  const finding = ({ execution: { scenario }, violations }: FailingExecution) =>
    groupOf({ scenario, violations }, byOperations);
  for (const { file, ...failure } of failingRegressions) {
    // What this run has found by itself shows the same.
    const shown = finding(failure);
    if (failing.some((found) => covers(finding(found as FailingExecution), shown))) continue;
    const smallest = await shrunk(failure as FailingExecution<State, Op>, undefined);
    counterexamples.push({ ...counterexample(smallest, 0), regression: file });
  }
  const failed = (never === undefined ? tally.violations : 0) + failingRegressions.length;
  const unverified = unverifiedOperations(service, tally.responses);
  const reason = never ?? run.unfinished() ?? unverified;
  const total = run.exploration.total();
  const summary = summaryOf(total, run.checkers.rules, service.patterns, {
    faults: options.strategy.faults ?? [],
    single: service.single === true,
  });
  const campaign: Campaign = {
    ...summary,
    coverage: [
      ...summary.coverage,
      ...leftOut(options.independent ?? []),
      ...unreached(service),
      // Otherwise it is the reason for which nothing has passed.
      ...(failed > 0 && unverified !== undefined ? [`T${unverified.slice(1)}.`] : []),
      ...(options.notes ?? []),
    ],
    ...(service.single && { scenarios: 1 }),
    service: service.name,
    mutant: options.mutant === undefined ? null : mutantName(options.mutant),
    verdict: verdictOf(failed, reason),
    reason: failed > 0 ? null : (reason ?? null),
    seed: options.seed,
    strategy: options.strategy.name,
    settings: settingsOf(options),
    control: options.control,
    clients: { min: options.bounds.minClients, max: options.bounds.maxClients },
    startedAt: startedAt.toISOString(),
    elapsedMs: run.elapsedMs,
    executionsPerSecond: tally.executions / (exploredMs / 1000),
    regressions: options.regressions ?? [],
    counterexamples,
    controlled: controlled(options.control, executor.ordersWakes),
    ungated: executor.ungated.map((name) => ({
      name,
      sampled: run.exploration.samples[name] ?? null,
    })),
    uncontrolled: [
      ...uncontrolled(options.control, environment, executor.ordersWakes, executor.uninstrumented),
      ...executor.uncontrolled,
      ...executor.notes,
      ...(options.strategy.reduces ? [REDUCED] : []),
      ...endedSearch(run.exploration.diverged),
      ...cannotCheck(service, options.checkers),
    ],
    environment,
    hashes,
    routines: executor.routines,
    serviceLog: await ifFilled(options.serviceLog),
  };
  return { campaign, error, total };
}

function leftOut(independent: readonly string[]): readonly string[] {
  const [first] = independent;
  if (first === undefined) return [];
  const pairs = independent.length === 1 ? "1 pair was" : `${independent.length} pairs were`;
  return [
    `${pairs} left out, since their statements touch nothing in common when each operation runs alone: ` +
      `${independent.join("; ")}.`,
  ];
}

function unreached({
  unreached: { pairs } = NOTHING,
}: Pick<Service, "unreached">): readonly string[] {
  if (pairs.length === 0) return [];
  const what = pairs.length === 1 ? "1 pair of operations" : `${pairs.length} pairs of operations`;
  return [
    `For ${what} no state was reached in which both succeed, so they were not searched: ${pairs.join("; ")}. ` +
      "Rows in the setup, or further operations, help.",
  ];
}

const NOTHING = { operations: [], pairs: [] };

/** Which operations never succeeded, so that nothing is known about what they do; undefined if there are none. */
function unverifiedOperations(
  { unreached: { operations } = NOTHING }: Pick<Service, "unreached">,
  responses: Tally["responses"],
): string | undefined {
  const never = operations.filter(
    (name) => !Object.keys(responses[name] ?? {}).some(isCodeOfSuccess),
  );
  if (never.length === 0) return undefined;
  const [what, whose] = never.length === 1 ? ["the operation", "its"] : ["the operations", "their"];
  return (
    `${what} ${never.join(", ")} never succeeded, so nothing was verified about ${whose} effect ` +
    "(`heddle doctor` says what each operation answered; leave out one that is meant to fail)"
  );
}

/** Whether an answer with that code took effect: `OK`, or a status of HTTP below 400. */
function isCodeOfSuccess(code: string): boolean {
  return code === "OK" || (/^\d{3}$/.test(code) && Number(code) < 400);
}

/** The sentence on a search that ended before its end; none if there is no such search. */
function endedSearch(diverged: string | undefined): readonly string[] {
  if (diverged === undefined) return [];
  return [
    `Something that decides which steps are possible: a search ended before its end, because executions of the same steps differed (${diverged}). --check-determinism shows where.`,
  ];
}

async function ifFilled(file: string | undefined): Promise<string | null> {
  if (file === undefined) return null;
  const found = await stat(file).catch(() => undefined);
  return found !== undefined && found.size > 0 ? file : null;
}

function settingsOf(options: CampaignOptions): Settings {
  const { runs, timeMs, scenarios, pairs, checkers, checkDeterminism, failFast } = options;
  const { faults = [], preemptions = Infinity, reduces = false } = options.strategy;
  return {
    runs: runs ?? null,
    timeMs: timeMs ?? null,
    scenarios: scenarios ?? null,
    pairs,
    preemptions: Number.isFinite(preemptions) ? preemptions : null,
    reduction: reduces,
    faults,
    checkers,
    checkDeterminism,
    failFast: failFast !== false,
  };
}

/** A replay must not depend on earlier executions where those are known to change the counterexample. */
function controlToRepeat(
  { unrepeated }: Pick<Counterexample, "unrepeated">,
  control: Control,
): Control {
  return unrepeated?.recurs === "fresh" ? { ...control, fresh: true } : control;
}

/** Why none of the violations counts; undefined if one does, or if there is none. */
function neverAgain(counterexamples: readonly Counterexample[]): string | undefined {
  const isNever = counterexamples.every(({ unrepeated }) => unrepeated?.recurs === "never");
  return isNever ? counterexamples[0]?.unrepeated?.why : undefined;
}

function verdictOf(failed: number, unfinished: string | undefined): Verdict {
  if (failed > 0) return "fail";
  return unfinished === undefined ? "pass" : "unknown";
}
