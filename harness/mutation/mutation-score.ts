import { HarnessError } from "../core/error.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Provenance } from "../explorer/campaign.ts";
import { controlFor, DEFAULTS } from "../explorer/defaults.ts";
import type { Server } from "../postgres/provider.ts";
import { strategyNamed } from "../scheduler/strategies.ts";
import type { AppliedMutant } from "../service/open-executor.ts";
import type { Service, Survivor } from "../service/service.ts";
import { derivationOf, derivedName, type InvalidMutant } from "./derivation.ts";
import { type MutantCampaign, mutantCampaign, provenanceOf } from "./mutant-campaign.ts";
import type { DerivedMutant } from "./objects.ts";
import type { Unmutated } from "./routines.ts";

/** The result for one derived mutant. */
export interface MutantResult {
  readonly mutant: DerivedMutant;
  /** `unknown`: the campaign could not run, or an execution could not be checked. */
  readonly outcome: "caught" | "survived" | "unknown";
  /** The first rule that was violated; null unless the mutant was caught. */
  readonly by: { readonly checker: string; readonly name: string; readonly message: string } | null;
  /** Preemptions of the execution that violated it. */
  readonly preemptions: number | null;
  /** Why the outcome is `unknown`; for a survivor, the reason that the service states for it. */
  readonly reason: string | null;
  /** The verdict that the service states for a survivor; null if it states none. */
  readonly verdict: Survivor["verdict"] | null;
  readonly executions: number;
  readonly elapsedMs: number;
}

/** How many mutants of a schema the checkers notice. */
export interface MutationScore extends Provenance {
  readonly service: string;
  readonly seed: number;
  /** The share of mutants that are caught, equivalent or tested, from 0 to 1. */
  readonly score: number;
  readonly results: readonly MutantResult[];
  /** How many mutants were left out: only some were asked for, or the run was interrupted. */
  readonly untried: number;
  readonly invalid: readonly InvalidMutant[];
  readonly unmutated: readonly Unmutated[];
  /** Stated survivors that were caught, or are no mutants of the schema. */
  readonly misclassified: readonly Survivor[];
  readonly executions: number;
  readonly elapsedMs: number;
}

export interface ScoreOptions {
  readonly seed: number;
  /** The most executions for each mutant; undefined: no limit. */
  readonly runs: number | undefined;
  /** The most time for exploring with each mutant, in ms. Default: no limit. */
  readonly timeMs?: number | undefined;
  /** Only mutants whose ids contain one of these; undefined: all. */
  readonly only?: readonly string[] | undefined;
  readonly stepTimeoutMs: number;
  readonly signal: AbortSignal | undefined;
  readonly onResult?: (result: MutantResult, done: number, of: number) => void;
}

/**
 * Derives the mutants of a service's schema and verifies the service with each of them, until the
 * first violation of any rule. A mutant survives when the campaign passes.
 * @throws HarnessError SERVICE_FAILED when the service without a mutant does not pass
 */
export async function mutationScore<State extends Json, Op extends Operation>(
  server: Server,
  service: Service<State, Op>,
  options: ScoreOptions,
): Promise<MutationScore> {
  const began = performance.now();
  const provenance = await provenanceOf(server, service);
  const { mutants, invalid, unmutated } = await derivationOf(server, service);
  const baseline = await campaignWith(server, service, undefined, options);
  if (baseline.verdict !== "pass" && !options.signal?.aborted) {
    const said = baseline.counterexample?.violations[0]?.message ?? baseline.reason;
    throw new HarnessError(
      "SERVICE_FAILED",
      `without any mutant, ${said}: a score needs a service that passes`,
    );
  }
  const chosen = mutants.filter(
    ({ id }) => options.only === undefined || options.only.some((part) => id.includes(part)),
  );
  const survivors = new Map(service.survivors?.map((survivor) => [survivor.id, survivor]));
  const results: MutantResult[] = [];
  for (const mutant of chosen) {
    if (options.signal?.aborted) break;
    const applied = { name: derivedName(mutant.id), ddl: mutant.ddl };
    const campaign = await campaignWith(server, service, applied, options);
    const result = resultOf(mutant, campaign, survivors.get(mutant.id));
    results.push(result);
    options.onResult?.(result, results.length, chosen.length);
  }
  const good = results.filter(
    ({ outcome, verdict }) =>
      outcome === "caught" || verdict === "equivalent" || verdict === "tested",
  );
  const caught = results.filter(({ outcome }) => outcome === "caught");
  return {
    service: service.name,
    seed: options.seed,
    score: chosen.length === 0 ? 1 : good.length / chosen.length,
    results,
    untried: mutants.length - results.length,
    invalid,
    unmutated,
    misclassified: (service.survivors ?? []).filter(
      ({ id }) =>
        caught.some(({ mutant }) => mutant.id === id) ||
        !mutants.some((mutant) => mutant.id === id),
    ),
    executions: results.reduce((sum, { executions }) => sum + executions, 0),
    elapsedMs: performance.now() - began,
    ...provenance,
  };
}

function campaignWith<State extends Json, Op extends Operation>(
  server: Server,
  service: Service<State, Op>,
  mutant: AppliedMutant | undefined,
  { seed, runs, timeMs, stepTimeoutMs, signal }: ScoreOptions,
): Promise<MutantCampaign> {
  const { preemptions } = DEFAULTS;
  const control = controlFor(service);
  return mutantCampaign(server, service, mutant, {
    ...{ seed, runs, timeMs, control, stepTimeoutMs, signal },
    strategy: strategyNamed("auto", { preemptions }),
    // The score says that a mutant is caught; `heddle verify --mutant` shows how.
    shrinkTimeMs: 0,
  });
}

function resultOf(
  mutant: DerivedMutant,
  { verdict, reason, executions, elapsedMs, counterexample }: MutantCampaign,
  survivor: Survivor | undefined,
): MutantResult {
  const outcomes = { pass: "survived", fail: "caught", unknown: "unknown" } as const;
  const survived = verdict === "pass";
  const [violation] = counterexample?.violations ?? [];
  return {
    mutant,
    outcome: outcomes[verdict],
    by: violation
      ? { checker: violation.checker, name: violation.name, message: violation.message }
      : null,
    preemptions: counterexample?.preemptions ?? null,
    reason: survived ? (survivor?.reason ?? null) : reason,
    verdict: survived ? (survivor?.verdict ?? null) : null,
    executions,
    elapsedMs,
  };
}
