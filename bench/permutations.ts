import type { Scenario } from "../harness/core/scenario.ts";
import { clientOf } from "../harness/core/schedule.ts";
import type { Trace } from "../harness/core/trace.ts";
import type { Executor } from "../harness/execution/executor.ts";
import { Exhaustive } from "../harness/scheduler/exhaustive.ts";
import type { Scheduler } from "../harness/scheduler/scheduler.ts";
import type { BenchSession, SessionAnswer, SessionSpec } from "./sessions.ts";

/** A permutation as session numbers: in `[0, 1, 1]` the first session makes a step, then the second makes two. */
export type StepOrder = readonly number[];

/** What a client can observe of a permutation. */
export interface PermutationOutcome {
  /** The names of the steps that waited for a lock, in the order in which their waits began. */
  readonly waited: readonly string[];
  /** In the order of the steps' names. */
  readonly answers: readonly SessionAnswer[];
  readonly final: readonly (readonly string[])[];
}

/**
 * Executes every possible permutation. A permutation in which a session would have to make a step
 * while it waits for a lock is not possible: the scheduler cannot choose a client that waits.
 */
export async function possiblePermutations(
  executor: Executor<null, BenchSession>,
  spec: SessionSpec,
): Promise<{ readonly permutation: StepOrder; readonly outcome: PermutationOutcome }[]> {
  const search = new Exhaustive();
  const executed = [];
  while (search.begin()) {
    const permutation: number[] = [];
    const scheduler = statementsOnly((enabled, previous) => {
      const choice = search.choose(enabled, previous);
      permutation.push(clientOf(choice.task));
      return choice;
    });
    const { trace, snapshot } = await executor.execute(scenarioOf(spec), scheduler);
    const final = (snapshot["rows"] ?? []).map(({ columns }) => columns as string[]);
    executed.push({ permutation, outcome: { ...answersIn(trace, spec), final } });
  }
  if (!search.complete) throw new Error(search.diverged);
  return executed;
}

/** Executes one permutation. */
export async function executePermutation(
  executor: Executor<null, BenchSession>,
  spec: SessionSpec,
  permutation: StepOrder,
): Promise<void> {
  let at = 0;
  const scheduler = statementsOnly((enabled) => {
    const session = permutation[at++];
    const choice = enabled.find(({ task }) => clientOf(task) === session);
    if (choice === undefined) throw new Error(`session ${session} cannot make step ${at}`);
    return choice;
  });
  await executor.execute(scenarioOf(spec), scheduler);
}

/** The number of permutations, possible or not: a multinomial coefficient. */
export function permutationCount({ sessions }: SessionSpec): number {
  let count = 1;
  let steps = 0;
  for (const session of sessions) {
    for (let step = 1; step <= session.length; step++) count = (count * ++steps) / step;
  }
  return count;
}

/** The names of the steps of a permutation. */
export function stepsOf({ sessions }: SessionSpec, permutation: StepOrder): string[] {
  const next = sessions.map((steps) => steps.values());
  return permutation.map((session) => next[session]?.next().value?.name ?? "?");
}

/**
 * A scheduler whose only choices are statements: clients start, and receive their answers, as soon
 * as they can. The order in which it releases statements is then the order of a permutation.
 */
function statementsOnly(choose: Scheduler["choose"]): Scheduler {
  return {
    begin: () => true,
    choose: (enabled, previous) =>
      enabled.find(({ action }) => action !== "release") ?? choose(enabled, previous),
  };
}

function scenarioOf({ sessions }: SessionSpec): Scenario<null, BenchSession> {
  return { initial: null, clients: sessions.map((steps) => [{ name: "session", steps }]) };
}

function answersIn(
  trace: Trace<BenchSession>,
  { sessions }: SessionSpec,
): Omit<PermutationOutcome, "final"> {
  const next = sessions.map(() => 0);
  const waited: string[] = [];
  const answers: SessionAnswer[] = [];
  for (const event of trace) {
    if (event.type === "statement") {
      const session = clientOf(event.task);
      next[session] = (next[session] ?? 0) + 1;
    } else if (event.type === "wait") {
      const session = clientOf(event.task);
      const step = sessions[session]?.[(next[session] ?? 0) - 1]?.name ?? "?";
      // A further wait event of the same step means that its blockers have changed.
      if (!waited.includes(step)) waited.push(step);
    } else if (event.type === "return") {
      answers.push(...(event.response.body as unknown as readonly SessionAnswer[]));
    }
  }
  return { waited, answers: answers.sort((a, b) => (a.step < b.step ? -1 : 1)) };
}
