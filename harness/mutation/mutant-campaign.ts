import type { RuleName } from "../checkers/checker.ts";
import type { CheckerName } from "../checkers/registry.ts";
import type { Control } from "../core/control.ts";
import type { Counterexample } from "../core/counterexample.ts";
import { HarnessError } from "../core/error.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Verdict } from "../core/verdict.ts";
import type { Campaign, Provenance } from "../explorer/campaign.ts";
import { DEFAULTS } from "../explorer/defaults.ts";
import { environmentOf, hashSources } from "../explorer/provenance.ts";
import { verify } from "../explorer/verify.ts";
import type { Server } from "../postgres/provider.ts";
import type { Strategy } from "../scheduler/strategies.ts";
import type { AppliedMutant } from "../service/open-executor.ts";
import type { Service } from "../service/service.ts";

/** The options of a campaign with a mutant; the others are the defaults of `verify`. */
export interface MutantCampaignOptions {
  readonly seed: number;
  /** The most executions; undefined: no limit. */
  readonly runs: number | undefined;
  /** The most time for exploring, in ms; undefined: no limit. */
  readonly timeMs: number | undefined;
  readonly strategy: Strategy;
  /** Explores the service's pairs instead of generated scenarios. Default: false. */
  readonly pairs?: boolean;
  readonly control: Control;
  /** Default: all. */
  readonly checkers?: readonly CheckerName[];
  /** The rules whose violations count. Default: all. */
  readonly rules?: readonly RuleName[];
  /** The most time for shrinking, in ms. */
  readonly shrinkTimeMs: number;
  readonly stepTimeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** The result of a campaign that ends at its first violation. */
export interface MutantCampaign {
  readonly verdict: Verdict;
  /** Why the verdict is `unknown`; null otherwise. */
  readonly reason: string | null;
  readonly executions: number;
  /** How long exploring took, in ms. */
  readonly elapsedMs: number;
  /** The checkers that found a violation in the last execution. */
  readonly checkers: readonly string[];
  readonly counterexample: Counterexample | null;
}

/**
 * Verifies a service with a mutant, by the same campaign as `heddle verify`. A failure of the
 * harness, such as a change that the server refuses, makes the verdict `unknown`.
 */
export async function mutantCampaign<State extends Json, Op extends Operation>(
  server: Server,
  service: Service<State, Op>,
  mutant: AppliedMutant | undefined,
  options: MutantCampaignOptions,
): Promise<MutantCampaign> {
  try {
    const { campaign } = await verify(server, service, {
      bounds: DEFAULTS.bounds,
      failFast: true,
      ...options,
      ...(mutant !== undefined && { mutant }),
    });
    return resultOf(campaign);
  } catch (error) {
    if (!(error instanceof HarnessError) || error.code === "USAGE") throw error;
    const { message: reason } = error;
    const nothing = { executions: 0, elapsedMs: 0, checkers: [], counterexample: null };
    return { verdict: "unknown", reason, ...nothing };
  }
}

function resultOf(campaign: Campaign): MutantCampaign {
  const { verdict, reason, executions, executionsPerSecond, rules, counterexamples } = campaign;
  const violated = rules.filter((rule) => rule.violated > 0).map(({ checker }) => checker);
  return {
    ...{ verdict, reason, executions },
    elapsedMs: executions === 0 ? 0 : (executions / executionsPerSecond) * 1_000,
    checkers: [...new Set(violated)],
    counterexample: counterexamples[0] ?? null,
  };
}

/** When and where mutants are tried, and from which sources. */
export async function provenanceOf(
  server: Server,
  { sources }: Pick<Service, "sources">,
): Promise<Provenance> {
  const startedAt = new Date().toISOString();
  const { lockWaits, drop } = await server.lease();
  await drop();
  const environment = environmentOf(server, lockWaits);
  return { startedAt, environment, hashes: await hashSources(sources) };
}
