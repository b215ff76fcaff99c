import { isDeepStrictEqual } from "node:util";
import type { Choice, Task } from "../core/schedule.ts";
import type { Result, Statement } from "../core/trace.ts";
import type { PendingStatement } from "../proxy/pending-statement.ts";

/** The most statements of one round of polling, such as `begin`, a query and `commit`. */
const LONGEST_ROUND = 6;

/** What a report says where a task has yielded. */
export const YIELDED =
  "A client that repeats statements with the same answers (polls) yields: other clients move before it repeats them once more.";

interface Answer {
  readonly result: Result;
  /** A digest. */
  readonly rows: string;
}

/** A statement that a task has completed. */
interface Completed {
  readonly statement: Statement;
  /** Undefined for one that may have written. */
  readonly answer: Answer | undefined;
  /** How often other tasks had made progress by then. */
  readonly progress: number;
}

/** The command tags of statements that change no row. */
const READING =
  /^(SELECT|FETCH|MOVE) \d+$|^(UPDATE|DELETE|MERGE|INSERT 0) 0$|^(BEGIN|START TRANSACTION|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|SET|SHOW)$/;

/**
 * Tells which tasks poll. A task polls when it has executed the same statements with the same answers
 * twice in a row (a round), and is about to execute them once more. Unless another task has made progress since
 * its last round it has *yielded*: it would get the same answers for ever while the others do not move, so
 * schedulers treat it as disabled. A step of a task that polls is progress only if its answer is new.
 *
 * Two executions alone are no polling: a client that reads twice and then goes on would be kept from doing so
 * without an interruption, and the outcomes of these schedules would be lost.
 *
 * Musuvathi and Qadeer, "Fair Stateless Model Checking" (PLDI 2008), where threads yield explicitly.
 */
export class Polling {
  readonly #completed = new Map<Task, Completed[]>();
  /** What `#round` has found for the pending statement of a task. */
  readonly #rounds = new Map<
    Task,
    { readonly of: PendingStatement; readonly round: number | undefined }
  >();
  /** How often each task has made progress. */
  readonly #progress = new Map<Task, number>();
  #allProgress = 0;
  /** The tasks whose statement has written and is not complete. */
  readonly #writing = new Set<Task>();
  /** The task whose statement was completed in this step. */
  #completing: Task | undefined;

  /** Notes that a task moves, with the statement that it has, if any. */
  moved(task: Task, pending: PendingStatement | undefined): void {
    this.#completing = undefined;
    if (pending === undefined || this.#round(pending) === undefined) this.#progresses(task);
  }

  /** Notes that a task has the result of its statement. */
  completed(pending: PendingStatement, result: Result, rows: string): void {
    const round = this.#round(pending);
    const completed = this.#completedBy(pending.task);
    const wrote = this.#writing.delete(pending.task);
    const reads = !wrote && result.tags.every((tag) => READING.test(tag));
    this.#completing = pending.task;
    const answer = reads ? { result, rows } : undefined;
    if (round !== undefined && !isSameAnswer(completed.at(-round)?.answer, answer)) {
      this.#progresses(pending.task);
    }
    const { statement } = pending;
    this.#rounds.delete(pending.task);
    completed.push({ statement, answer, progress: this.#ofOthers(pending.task) });
    if (completed.length > 2 * LONGEST_ROUND) completed.shift();
  }

  /** Notes that the step that a task has just taken has written, whatever its answer looks like. */
  wrote(task: Task): void {
    this.#progresses(task);
    this.#rounds.delete(task);
    const last = this.#completing === task ? this.#completed.get(task)?.pop() : undefined;
    if (last === undefined) this.#writing.add(task);
    else this.#completed.get(task)?.push({ ...last, answer: undefined });
  }

  /** Whether the task has executed the statement before and did not seem to write. */
  isAgain({ task, statement }: PendingStatement): boolean {
    return this.#completedBy(task).some(
      (past) => past.answer !== undefined && isSame(past.statement, statement),
    );
  }

  /** Whether the task of a held statement has yielded. */
  hasYielded(pending: PendingStatement): boolean {
    const round = pending.state.at === "held" ? this.#round(pending) : undefined;
    if (round === undefined) return false;
    return this.#completed.get(pending.task)?.at(-round)?.progress === this.#ofOthers(pending.task);
  }

  #completedBy(task: Task): Completed[] {
    const known = this.#completed.get(task);
    if (known !== undefined) return known;
    const completed: Completed[] = [];
    this.#completed.set(task, completed);
    return completed;
  }

  #progresses(task: Task): void {
    this.#progress.set(task, (this.#progress.get(task) ?? 0) + 1);
    this.#allProgress++;
  }

  #ofOthers(task: Task): number {
    return this.#allProgress - (this.#progress.get(task) ?? 0);
  }

  /**
   * Whether the statement may begin, or go on with, the second or a later execution of a round. When it is
   * executed among the steps of other tasks decides whether its task will have yielded after it.
   */
  mayRepeat({ task, statement }: PendingStatement): boolean {
    const completed = this.#completedBy(task);
    for (let round = 1; round <= Math.min(LONGEST_ROUND, completed.length); round++) {
      const first = completed.at(-round);
      if (first?.answer === undefined) return false;
      if (isSame(first.statement, statement)) return true;
    }
    return false;
  }

  /** The length of the round that the statement repeats; undefined if it repeats none. */
  #round(pending: PendingStatement): number | undefined {
    const { task, statement } = pending;
    const known = this.#rounds.get(task);
    if (known?.of === pending) return known.round;
    const round = repeatedRound(this.#completedBy(task), statement);
    this.#rounds.set(task, { of: pending, round });
    return round;
  }
}

function repeatedRound(completed: readonly Completed[], statement: Statement): number | undefined {
  for (let round = 1; round <= Math.min(LONGEST_ROUND, completed.length / 2); round++) {
    const first = completed.at(-round)?.statement;
    if (isSame(first, statement) && isRepeated(completed, round)) return round;
  }
  return undefined;
}

/** Whether the last `round` statements, and their answers, are those of the round before. */
function isRepeated(completed: readonly Completed[], round: number): boolean {
  for (let back = 1; back <= round; back++) {
    const last = completed.at(-back);
    const before = completed.at(-back - round);
    if (last?.answer === undefined || !isSame(before?.statement, last.statement)) return false;
    if (!isSameAnswer(before?.answer, last.answer)) return false;
  }
  return true;
}

function isSame(a: Statement | undefined, b: Statement): boolean {
  return a?.sql === b.sql && isSameList(a.values, b.values);
}

function isSameList<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index]);
}

function isSameAnswer(a: Answer | undefined, b: Answer | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.rows === b.rows && isSameResult(a.result, b.result);
}

/** Most results have no error, and are compared for each statement of a client that polls. */
function isSameResult(a: Result, b: Result): boolean {
  return (
    a.transaction === b.transaction &&
    isSameList(a.tags, b.tags) &&
    (a.error === b.error || isDeepStrictEqual(a.error, b.error))
  );
}

/** The choices of tasks that have not yielded; all of them if there are none. */
export function withoutYielded(
  enabled: readonly Choice[],
  hasYielded: (task: Task) => boolean,
): readonly Choice[] {
  const fair = enabled.filter(({ task, action }) => action !== "release" || !hasYielded(task));
  return fair.length > 0 ? fair : enabled;
}
