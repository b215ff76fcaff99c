import type { Checker } from "../checkers/checker.ts";
import { Checkers } from "../checkers/registry.ts";
import type { Control } from "../core/control.ts";
import { HarnessError } from "../core/error.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Scenario } from "../core/scenario.ts";
import type { Executor } from "../execution/executor.ts";
import { commitThatBroke } from "../explorer/explain-violation.ts";
import { type FailingExecution, ScenarioExplorer } from "../explorer/explore-scenario.ts";
import { generator } from "../explorer/generate.ts";
import type { Server } from "../postgres/provider.ts";
import { strategies } from "../scheduler/strategies.ts";
import { openExecutor } from "../service/open-executor.ts";
import type { Service } from "../service/service.ts";

/**
 * A way to look for a violation: in every interleaving within a bound of the model's pairs; or in
 * generated scenarios, in one random order each.
 */
export type SearchStage =
  | { readonly pairs: true; readonly preemptions: number }
  | { readonly pairs: false; readonly scenarios: number };

/** What a search came to. */
export interface Searched<State extends Json, Op extends Operation> {
  /** The first execution that broke a rule. */
  readonly failing: FailingExecution<State, Op> | undefined;
  /** The step of it whose commit broke the rule, if that is known. */
  readonly brokenAt?: number | undefined;
  readonly executions: number;
  /** Whether all that the stages ask for was executed and checked; false after a violation. */
  readonly complete: boolean;
  /** Why it is not complete, unless there is a violation. */
  readonly reason: string | undefined;
}

/** What is looked for, and where. */
export interface SearchTarget<State extends Json, Op extends Operation> {
  readonly checkers: readonly Checker<State, Op>[];
  readonly stages: readonly SearchStage[];
  /** Whether anything can be found in a scenario; in each, unless told. */
  readonly isOf?: (scenario: Scenario) => boolean;
}

export interface SearchOptions {
  readonly seed: number;
  readonly control: Control;
  readonly stepTimeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * Looks for a violation, stage by stage until there is one, on a database of its own. What goes
 * wrong with the harness makes the search incomplete.
 */
export async function search<State extends Json, Op extends Operation>(
  server: Server,
  service: Service<State, Op>,
  quest: SearchTarget<State, Op>,
  options: SearchOptions,
): Promise<Searched<State, Op>> {
  try {
    const executor = await openExecutor(server, service, undefined, options);
    try {
      return await searchOn(executor, service, quest, options);
    } finally {
      await executor.close();
    }
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    return { failing: undefined, executions: 0, complete: false, reason: error.message };
  }
}

async function searchOn<State extends Json, Op extends Operation>(
  executor: Executor<State, Op>,
  service: Service<State, Op>,
  quest: SearchTarget<State, Op>,
  { seed, signal }: SearchOptions,
): Promise<Searched<State, Op>> {
  const checkers = new Checkers(quest.checkers);
  let executions = 0;
  let undecided: string | undefined;
  for (const stage of quest.stages) {
    const of = optionsOf(stage, seed);
    const explorer = new ScenarioExplorer(executor, service, checkers, of);
    const generated = generator(service, of.bounds, seed);
    const scenarios = stage.pairs ? explorer.pairs.length : stage.scenarios;
    for (let index = 0; index < scenarios; index++) {
      const { scenario } = explorer.pairs[index] ?? generated(index);
      if (quest.isOf?.(scenario) === false) continue;
      const { tally, failing, error, ...explored } = await explorer.explore(index, {
        used: () => 0,
        executions: Number.POSITIVE_INFINITY,
        more: () => signal?.aborted !== true,
        onExecution: () => {},
      });
      executions += tally.executions;
      undecided ??= explored.undecided;
      if (failing !== undefined) {
        const [rule] = failing.violations;
        const brokenAt =
          rule &&
          (await commitThatBroke(rule, failing.execution, checkers, (...given) =>
            executor.execute(...given),
          ));
        return { failing, brokenAt, executions, complete: false, reason: undefined };
      }
      const reason = signal?.aborted ? "interrupted" : error?.message;
      if (reason !== undefined) return { failing, executions, complete: false, reason };
      if (stage.pairs && !explored.complete) undecided ??= "a search did not come to its end";
    }
  }
  const complete = undecided === undefined;
  return { failing: undefined, executions, complete, reason: undecided };
}

function optionsOf(stage: SearchStage, seed: number) {
  const bounds = { minClients: 2, maxClients: stage.pairs ? 2 : 3 };
  const wanted = stage.pairs ? "exhaustive" : "random";
  const preemptions = stage.pairs ? stage.preemptions : 0;
  const strategy = strategies({ preemptions }).find(({ name }) => name === wanted);
  if (strategy === undefined) throw new Error(`there is no strategy ${wanted}`);
  return { seed, bounds, pairs: stage.pairs, strategy };
}
