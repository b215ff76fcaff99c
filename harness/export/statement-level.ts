import type { Command } from "../core/command.ts";
import type { Execution } from "../core/execution.ts";
import type { Json } from "../core/json.ts";
import type { Scenario } from "../core/scenario.ts";
import type { Violation } from "../core/verdict.ts";
import type { Executor } from "../execution/executor.ts";
import { Judges, judgesOf } from "../explorer/judge.ts";
import type { Subject } from "../explorer/subject.ts";
import { Exhaustive } from "../scheduler/exhaustive.ts";

/** So many executions are tried: seconds, where most scenarios have fewer. */
const MOST = 1_000;

/**
 * Looks for an execution of a scenario that breaks the same rule.
 * @param executor has gates between statements only.
 */
export async function searchFor<State extends Json, C extends Command>(
  executor: Executor<State, C>,
  subject: Subject<State, C>,
  scenario: Scenario<State, C>,
  rule: Violation,
): Promise<Execution<State, C> | undefined> {
  const judges = new Judges(judgesOf(subject));
  const scheduler = new Exhaustive();
  for (let left = MOST; left > 0 && scheduler.begin(); left--) {
    const execution = await executor.execute(scenario, scheduler);
    const found = await judges.likewise(rule, execution, (...given) => executor.execute(...given));
    if (found.length > 0) return execution;
  }
  return undefined;
}
