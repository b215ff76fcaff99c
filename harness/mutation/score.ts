import type { Command } from "../core/command.ts";
import { HarnessError } from "../core/error.ts";
import { preemptionCount } from "../core/execution.ts";
import type { Json } from "../core/json.ts";
import type { DerivedMutant, MutantResult, MutationScore, Survivor } from "../core/mutation.ts";
import type { Scenario } from "../core/scenario.ts";
import { judgesOf } from "../explorer/judge.ts";
import type { Subject } from "../explorer/subject.ts";
import type { Server } from "../postgres/provider.ts";
import { derivationOf } from "./derived-subject.ts";
import { mutated } from "./mutated.ts";
import { provenanceOf } from "./provenance.ts";
import { RoutineCoverage } from "./routine-coverage.ts";
import { type SearchOptions, type Stage, search } from "./search.ts";

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
 * Derives the mutants of a subject's schema and tries each until the first violation of any rule:
 * whole commands of every pair first, which finds what is wrong without concurrency; then generated
 * scenarios; then the pairs with preemptions. What nothing notices has survived. The subject as it
 * is goes first, through all of it: that tells which scenarios a routine's mutants can matter to.
 * @throws HarnessError MODEL_FAILED when the subject as it is does not pass.
 */
export async function mutationScore<State extends Json, C extends Command>(
  server: Server,
  subject: Subject<State, C>,
  options: ScoreOptions,
): Promise<MutationScore> {
  const began = performance.now();
  const provenance = await provenanceOf(server, subject);
  const { mutants, stillborn, unmutated } = await derivationOf(server, subject);
  const coverage = await coverageOf(server, subject, options);
  const chosen = mutants.filter(
    ({ id }) => options.only === undefined || options.only.some((part) => id.includes(part)),
  );
  const survivors = new Map(subject.survivors?.map((survivor) => [survivor.id, survivor]));
  const results: MutantResult[] = [];
  for (const mutant of chosen) {
    if (options.signal?.aborted) break;
    const result = await tried(server, subject, mutant, {
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
    model: subject.name,
    seed: options.seed,
    score: chosen.length === 0 ? 1 : good.length / chosen.length,
    results,
    untried: mutants.length - results.length,
    stillborn,
    unmutated,
    misjudged: (subject.survivors ?? []).filter(
      ({ id }) =>
        caught.some(({ mutant }) => mutant.id === id) ||
        !mutants.some((mutant) => mutant.id === id),
    ),
    executions: results.reduce((sum, { executions }) => sum + executions, 0),
    elapsedMs: performance.now() - began,
    ...provenance,
  };
}

async function coverageOf<State extends Json, C extends Command>(
  server: Server,
  subject: Subject<State, C>,
  options: ScoreOptions,
): Promise<RoutineCoverage> {
  const coverage = new RoutineCoverage();
  const judges = [...judgesOf(subject), coverage.recorder<State, C>()];
  const stages = stagesOf(subject.pairs !== undefined, options);
  const { failing, complete, reason } = await search(server, subject, { judges, stages }, options);
  if (complete || options.signal?.aborted) return coverage;
  const [violation] = failing?.violations ?? [];
  throw new HarnessError(
    "MODEL_FAILED",
    `without any mutant, ${violation?.message ?? reason}: a score needs a subject that passes`,
  );
}

interface Trial {
  readonly survivor: Survivor | undefined;
  readonly coverage: RoutineCoverage;
  readonly options: ScoreOptions;
}

async function tried<State extends Json, C extends Command>(
  server: Server,
  subject: Subject<State, C>,
  mutant: DerivedMutant,
  { survivor, coverage, options }: Trial,
): Promise<MutantResult> {
  const began = performance.now();
  const quest = {
    judges: judgesOf(subject),
    stages: stagesOf(subject.pairs !== undefined, options),
    isOf: (scenario: Scenario) => coverage.matters(mutant.routine, scenario),
  };
  const changed = mutated(subject, mutant.ddl);
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

const named = ({ judge, name, message }: NonNullable<MutantResult["by"]>) => ({
  judge,
  name,
  message,
});

function stagesOf(pairs: boolean, { scenarios, preemptions }: ScoreOptions): readonly Stage[] {
  const generated: Stage = { pairs: false, scenarios };
  if (!pairs) return [generated];
  return [{ pairs: true, preemptions: 0 }, generated, { pairs: true, preemptions }];
}
