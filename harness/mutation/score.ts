import { checkersOf } from "../checkers/registry.ts";
import { HarnessError } from "../core/error.ts";
import { preemptionCount } from "../core/execution.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Scenario } from "../core/scenario.ts";
import type { Server } from "../postgres/provider.ts";
import { mutated } from "../service/open-executor.ts";
import type { Service, Survivor } from "../service/service.ts";
import { derivationOf } from "./derived-service.ts";
import type { DerivedMutant, MutantResult, MutationScore } from "./mutation-score.ts";
import { provenanceOf } from "./provenance.ts";
import { RoutineCoverage } from "./routine-coverage.ts";
import { type SearchOptions, type SearchStage, search } from "./search.ts";

export interface ScoreOptions extends SearchOptions {
  /** How many generated scenarios each mutant is tried with, each in one random order. */
  readonly scenarios: number;
  /** Of the search of the model's pairs. */
  readonly preemptions: number;
  /** Only mutants whose ids contain one of these; undefined: all. */
  readonly only?: readonly string[] | undefined;
  readonly onResult?: (result: MutantResult, done: number, of: number) => void;
}

/**
 * Derives the mutants of a service's schema and tries each until the first violation of any rule:
 * whole operations of every pair first, which finds what is wrong without concurrency; then generated
 * scenarios; then the pairs with preemptions. What nothing notices has survived. The service as it
 * is goes first, through all of it: that tells which scenarios a routine's mutants can matter to.
 * @throws HarnessError SERVICE_FAILED when the service as it is does not pass.
 */
export async function mutationScore<State extends Json, Op extends Operation>(
  server: Server,
  service: Service<State, Op>,
  options: ScoreOptions,
): Promise<MutationScore> {
  const began = performance.now();
  const provenance = await provenanceOf(server, service);
  const { mutants, invalid, unmutated } = await derivationOf(server, service);
  const coverage = await coverageOf(server, service, options);
  const chosen = mutants.filter(
    ({ id }) => options.only === undefined || options.only.some((part) => id.includes(part)),
  );
  const survivors = new Map(service.survivors?.map((survivor) => [survivor.id, survivor]));
  const results: MutantResult[] = [];
  for (const mutant of chosen) {
    if (options.signal?.aborted) break;
    const result = await tried(server, service, mutant, {
      ...{ survivor: survivors.get(mutant.id), coverage, options },
    });
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

async function coverageOf<State extends Json, Op extends Operation>(
  server: Server,
  service: Service<State, Op>,
  options: ScoreOptions,
): Promise<RoutineCoverage> {
  const coverage = new RoutineCoverage();
  const checkers = [...checkersOf(service), coverage.recorder<State, Op>()];
  const stages = stagesOf(service.pairs !== undefined, options);
  const { failing, complete, reason } = await search(
    server,
    service,
    { checkers, stages },
    options,
  );
  if (complete || options.signal?.aborted) return coverage;
  const [violation] = failing?.violations ?? [];
  throw new HarnessError(
    "SERVICE_FAILED",
    `without any mutant, ${violation?.message ?? reason}: a score needs a service that passes`,
  );
}

interface Trial {
  readonly survivor: Survivor | undefined;
  readonly coverage: RoutineCoverage;
  readonly options: ScoreOptions;
}

async function tried<State extends Json, Op extends Operation>(
  server: Server,
  service: Service<State, Op>,
  mutant: DerivedMutant,
  { survivor, coverage, options }: Trial,
): Promise<MutantResult> {
  const began = performance.now();
  const quest = {
    checkers: checkersOf(service),
    stages: stagesOf(service.pairs !== undefined, options),
    isOf: (scenario: Scenario) => coverage.matters(mutant.routine, scenario),
  };
  const changed = mutated(service, mutant.ddl);
  const { failing, complete, reason, executions } = await search(server, changed, quest, options);
  const [violation] = failing?.violations ?? [];
  const outcome = violation !== undefined ? "caught" : complete ? "survived" : "unknown";
  return {
    mutant,
    outcome,
    by: violation === undefined ? null : named(violation),
    preemptions: failing === undefined ? null : preemptionCount(failing.execution.trace),
    reason: outcome === "survived" ? (survivor?.reason ?? null) : (reason ?? null),
    verdict: outcome === "survived" ? (survivor?.verdict ?? null) : null,
    executions,
    elapsedMs: performance.now() - began,
  };
}

const named = ({ checker, name, message }: NonNullable<MutantResult["by"]>) => ({
  checker,
  name,
  message,
});

function stagesOf(
  pairs: boolean,
  { scenarios, preemptions }: ScoreOptions,
): readonly SearchStage[] {
  const generated: SearchStage = { pairs: false, scenarios };
  if (!pairs) return [generated];
  return [{ pairs: true, preemptions: 0 }, generated, { pairs: true, preemptions }];
}
