import { HarnessError } from "../core/error.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Verdict } from "../core/verdict.ts";
import type { Server } from "../postgres/provider.ts";
import type { Service } from "../service/service.ts";
import { provenanceOf } from "./provenance.ts";
import { type SeededBugOptions, SeededBugTrial } from "./seeded-bugs.ts";
import type { BaselineResult, SeededBugReport, SeededBugResult } from "./seeded-report.ts";

export interface SeededBugsOptions extends SeededBugOptions {
  /** Only these; undefined: all. */
  readonly only: readonly string[] | undefined;
  /** How many are tried at the same time, each on a database of its own. */
  readonly atOnce: number;
  readonly onResult: ((result: SeededBugResult, done: number, of: number) => void) | undefined;
}

/**
 * Tries all of a model's seeded bugs, and then the service without any, at each depth of control
 * that was used. Throws HarnessError `USAGE` for a name that the model does not have.
 */
export async function runSeededBugs<State extends Json, Op extends Operation>(
  server: Server,
  service: Service<State, Op>,
  options: SeededBugsOptions,
): Promise<SeededBugReport> {
  const began = performance.now();
  const mutants = chosen(service, options.only);
  const provenance = await provenanceOf(server, service);
  const trial = new SeededBugTrial(server, service, provenance.environment, options);
  let done = 0;
  const results = await inParallel(mutants, options, async (mutant) => {
    const result = await trial.mutant(mutant);
    options.onResult?.(result, ++done, mutants.length);
    return result;
  });
  const depths = new Map(
    results.map(({ gates, faults }) => [`${gates} ${faults}`, { gates, faults }]),
  );
  const unmutated = await inParallel([...depths.values()], options, (depth) =>
    trial.unmutated(depth),
  );
  return {
    service: service.name,
    seed: options.seed,
    budget: { runs: options.runs, timeMs: options.timeMs ?? null },
    allCheckers: options.allCheckers,
    verdict: verdictOf(results, unmutated, results.length < mutants.length),
    elapsedMs: performance.now() - began,
    results,
    baseline: unmutated,
    untried: service.seededBugs
      .map(({ name }) => name)
      .filter((name) => !results.some((result) => result.name === name)),
    ...provenance,
  };
}

function chosen(
  { name, seededBugs: mutants }: Pick<Service, "name" | "seededBugs">,
  only?: readonly string[],
) {
  if (only === undefined) return mutants;
  const unknown = only.filter((wanted) => !mutants.some((mutant) => mutant.name === wanted));
  if (unknown.length === 0) return mutants.filter((mutant) => only.includes(mutant.name));
  const all = mutants.map((mutant) => mutant.name).join(", ") || "none";
  throw new HarnessError(
    "USAGE",
    `the model "${name}" has no ${unknown.join(", ")}; it has: ${all}`,
  );
}

/** In the order of what was given; what was not begun when it was interrupted is left out. */
async function inParallel<T, R>(
  all: readonly T[],
  { atOnce, signal }: Pick<SeededBugsOptions, "atOnce" | "signal">,
  work: (one: T) => Promise<R>,
): Promise<readonly R[]> {
  const results = new Map<number, R>();
  let next = 0;
  const worker = async () => {
    for (let at = next++; at < all.length && !signal?.aborted; at = next++) {
      results.set(at, await work(all[at] as T));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return [...results].sort(([a], [b]) => a - b).map(([, result]) => result);
}

/** A bug that nobody sees, a false alarm, or a replay that saw something else is a failure. */
function verdictOf(
  results: readonly SeededBugResult[],
  unmutated: readonly BaselineResult[],
  interrupted: boolean,
): Verdict {
  const failed =
    results.some(({ outcome }) => outcome === "survived" || outcome === "false alarm") ||
    results.some(({ replays }) => replays !== null && replays.identical < replays.of) ||
    unmutated.some(({ verdict }) => verdict === "fail");
  if (failed) return "fail";
  const unknown =
    interrupted ||
    results.some(({ outcome }) => outcome === "unknown") ||
    unmutated.some(({ verdict }) => verdict !== "pass");
  return unknown ? "unknown" : "pass";
}
