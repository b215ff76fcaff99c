import type { Scenario } from "../harness/core/scenario.ts";
import { clientOf } from "../harness/core/schedule.ts";
import type { Trace } from "../harness/core/trace.ts";
import type { Executor } from "../harness/execution/executor.ts";
import { Exhaustive } from "../harness/scheduler/exhaustive.ts";
import type { Scheduler } from "../harness/scheduler/scheduler.ts";
import type { BenchSession, SessionAnswer, SessionSpec } from "./sessions.ts";

/** The sessions by number, in the order of their steps: `[0, 1, 1]` ends with two of the second. */
export type StepOrder = readonly number[];

/** All that could be seen of a permutation. */
export interface PermutationOutcome {
  /** The steps that waited for a lock, in the order in which they began to. */
  readonly waited: readonly string[];
  /** By the steps' names. */
  readonly answers: readonly SessionAnswer[];
  readonly final: readonly (readonly string[])[];
}

/**
 * Executes every permutation in which no session is asked to go on while it waits for a lock: such
 * a one Heddle never meets, since a client that waits cannot be chosen.
 */
export async function possiblePermutations(
  executor: Executor<null, BenchSession>,
  spec: SessionSpec,
): Promise<{ readonly permutation: StepOrder; readonly outcome: PermutationOutcome }[]> {
  const search = new Exhaustive();
  const found = [];
  while (search.begin()) {
    const permutation: number[] = [];
    const scheduler = statementsOnly((enabled, previous) => {
      const choice = search.choose(enabled, previous);
      permutation.push(clientOf(choice.task));
      return choice;
    });
    const { trace, snapshot } = await executor.execute(scenarioOf(spec), scheduler);
    const final = (snapshot["rows"] ?? []).map(({ columns }) => columns as string[]);
    found.push({ permutation, outcome: { ...seenIn(trace, spec), final } });
  }
  if (!search.complete) throw new Error(search.diverged);
  return found;
}

/** Executes one permutation, step by step as it stands. */
export async function follow(
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

/** How many permutations there are, whether they can be run or not: a multinomial coefficient. */
export function permutationCount({ sessions }: SessionSpec): number {
  let count = 1;
  let steps = 0;
  for (const session of sessions) {
    for (let own = 1; own <= session.length; own++) count = (count * ++steps) / own;
  }
  return count;
}

/** The steps of a permutation, by name. */
export function stepsOf({ sessions }: SessionSpec, permutation: StepOrder): string[] {
  const next = sessions.map((steps) => steps.values());
  return permutation.map((session) => next[session]?.next().value?.name ?? "?");
}

/**
 * A schedule of statements alone: clients start, and take answers that were held, as soon as they
 * can. So who is let go is the order of a permutation's steps.
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

function seenIn(
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
      // It is told again when whom the step waits for has changed.
      if (!waited.includes(step)) waited.push(step);
    } else if (event.type === "return") {
      answers.push(...(event.response.body as unknown as readonly SessionAnswer[]));
    }
  }
  return { waited, answers: answers.sort((a, b) => (a.step < b.step ? -1 : 1)) };
}
