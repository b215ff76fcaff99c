import type { Counterexample } from "../core/counterexample.ts";
import { endsProcess, type Fault } from "../core/fault.ts";
import type { Response } from "../core/history.ts";
import type { Operation } from "../core/operation.ts";
import { type Action, BACKGROUND, clientOf, type Task, taskOf } from "../core/schedule.ts";
import type { Place, Result, Statement, TraceEvent } from "../core/trace.ts";
import { clientTask } from "./one-line.ts";

/** One thing that a reader sees in a step. */
export type TimelineEvent =
  | { readonly type: "operation"; readonly task: Task; readonly operation: Operation }
  /** The server got a statement; with its answer, if that came at once. */
  | {
      readonly type: "statement";
      readonly task: Task;
      readonly statement: Statement;
      readonly result?: Result;
    }
  | { readonly type: "wait"; readonly task: Task; readonly for: readonly Task[] }
  /** The statement stands at a gate inside the server. */
  | { readonly type: "gate"; readonly task: Task; readonly place: Place }
  /** The answer to a statement that had to wait, or that was got in an earlier step. */
  | {
      readonly type: "result";
      readonly task: Task;
      readonly statement: Statement;
      readonly waited: boolean;
      readonly result: Result;
    }
  /** With the statement that it kept from the server, if it was held. */
  | {
      readonly type: "fault";
      readonly task: Task;
      readonly fault: Fault;
      readonly statement?: Statement;
      /** Under which name what was under way goes on. */
      readonly becomes?: Task;
    }
  /** The service hears an answer that was held. */
  | { readonly type: "deliver"; readonly task: Task }
  | { readonly type: "response"; readonly task: Task; readonly response: Response }
  /** From here on committed state breaks the rule. */
  | { readonly type: "broken"; readonly task: Task; readonly rule: string };

/** One step: who moved, and all that happened until the next move. */
export interface Step {
  /** From 1. */
  readonly number: number;
  readonly task: Task;
  /** The client that was left although it could have gone on; undefined if this is no preemption. */
  readonly preempts: number | undefined;
  readonly happenings: readonly TimelineEvent[];
  /** Clients that had a transaction open when the step began or when it ended. */
  readonly inTransaction: ReadonlySet<number>;
}

/** As much of a counterexample as can be told of it, or of an execution that broke nothing. */
export type TimelineAnswer = Pick<Counterexample, "trace"> &
  Partial<Pick<Counterexample, "violations" | "brokenAt">>;

/** On a page: more is not looked at there. */
export const MOST_STEPS = 200;

/** A trace as a reader wants it: by steps, and a statement together with its answer. */
export function timeline({
  trace,
  violations: [violation] = [],
  brokenAt,
}: TimelineAnswer): Step[] {
  const telling = new Telling();
  for (const event of trace) telling.tell(event);
  return telling.steps().map(({ happenings, ...step }) =>
    violation === undefined || step.number !== brokenAt
      ? { ...step, happenings }
      : {
          ...step,
          happenings: [
            ...happenings,
            { type: "broken", task: whoCommitted(step.task, happenings), rule: violation.name },
          ],
        },
  );
}

/** A step can end the wait of somebody else, whose statement then is what commits. */
function whoCommitted(moved: Task, happenings: readonly TimelineEvent[]): Task {
  const last = happenings.findLast((it) => {
    const result = it.type === "statement" || it.type === "result" ? it.result : undefined;
    return result?.transaction === "idle" && result.error === undefined;
  });
  return last?.task ?? moved;
}

/** By number: the scenario's `clients`, and requests that went on without theirs. */
export function clientsIn(steps: readonly Step[], clients: number): number[] {
  const last = Math.max(clients - 1, ...steps.map(({ task }) => clientOf(task)));
  return [...Array(last + 1).keys()];
}

type Draft = Step & { readonly happenings: TimelineEvent[]; readonly inTransaction: Set<number> };

class Telling {
  readonly #drafts: Draft[] = [];
  /** Statements at the server, and where they stand in their step. */
  readonly #running = new Map<Task, { draft: Draft; at: number; statement: Statement }>();
  readonly #waiting = new Set<Task>();
  readonly #open = new Set<Task>();
  /** Tasks with a statement since the server crashed, if it has: others have no answer to hear. */
  #sinceCrash: Set<Task> | undefined;

  steps(): Step[] {
    return this.#drafts;
  }

  tell(event: TraceEvent): void {
    switch (event.type) {
      case "move":
        this.#move(event.choice.task, event.choice.action, event.preemption);
        break;
      case "statement":
        this.#statement(event);
        break;
      case "gate":
        this.#waiting.delete(event.task);
        this.#add({ type: "gate", task: event.task, place: event.place });
        break;
      case "wait":
        this.#waiting.add(event.task);
        this.#add({ type: "wait", task: event.task, for: event.for });
        break;
      case "result":
        this.#result(event.task, event.result);
        break;
      case "fault":
        this.#fault(event);
        break;
      case "invoke":
        this.#add({
          type: "operation",
          task: clientTask(event.client),
          operation: event.operation,
        });
        break;
      case "return":
        this.#add({ type: "response", task: clientTask(event.client), response: event.response });
        break;
    }
  }

  #move(task: Task, action: Action, preemption: boolean): Draft {
    const previous = this.#drafts.at(-1);
    const draft: Draft = {
      number: this.#drafts.length + 1,
      task,
      preempts: preemption && previous !== undefined ? clientOf(previous.task) : undefined,
      happenings: [],
      inTransaction: new Set([...this.#open].map(clientOf)),
    };
    this.#drafts.push(draft);
    const lost = this.#sinceCrash?.has(task) === false;
    if (action === "deliver" && !lost) this.#add({ type: "deliver", task });
    return draft;
  }

  #statement({ task, statement }: { task: Task; statement: Statement }): void {
    const draft = this.#current();
    this.#sinceCrash?.add(task);
    this.#running.set(task, { draft, at: draft.happenings.length, statement });
    this.#add({ type: "statement", task, statement });
  }

  #result(task: Task, result: Result): void {
    const running = this.#running.get(task);
    this.#running.delete(task);
    const step = this.#current();
    if (result.transaction === "idle") this.#open.delete(task);
    else this.#open.add(task);
    if (result.transaction !== "idle") step.inTransaction.add(clientOf(task));
    if (running === undefined) return;
    const { statement } = running;
    const waited = this.#waiting.delete(task);
    const { happenings } = step;
    if (running.draft === step && happenings.length === running.at + 1) {
      step.happenings[running.at] = { type: "statement", task, statement, result };
    } else {
      this.#add({ type: "result", task, statement, waited, result });
    }
  }

  #fault(event: Extract<TraceEvent, { readonly type: "fault" }>): void {
    const { happenings } = this.#current();
    // An answer that is lost is not heard, although it was its turn.
    if (happenings.at(-1)?.type === "deliver") happenings.pop();
    if (event.becomes !== undefined) this.#rename(clientOf(event.task), clientOf(event.becomes));
    else {
      if (event.fault === "crash") this.#sinceCrash = new Set();
      if (endsProcess(event.fault)) this.#open.clear();
      if (event.fault !== "cancel") this.#open.delete(event.task);
      this.#waiting.delete(event.task);
    }
    this.#add(event);
  }

  #rename(client: number, other: number): void {
    const renamed = (task: Task) => taskOf(other, Number(task.split(".")[1] ?? 0));
    const its = (tasks: Iterable<Task>) => [...tasks].filter((task) => clientOf(task) === client);
    for (const tasks of [this.#waiting, this.#open]) {
      for (const task of its(tasks)) if (tasks.delete(task)) tasks.add(renamed(task));
    }
    for (const task of its(this.#running.keys())) {
      const running = this.#running.get(task);
      if (running !== undefined) this.#running.set(renamed(task), running);
      this.#running.delete(task);
    }
  }

  #add(happening: TimelineEvent): void {
    this.#current().happenings.push(happening);
  }

  /** What happens before the first move, such as a pool's own check, is the background's. */
  #current(): Draft {
    return this.#drafts.at(-1) ?? this.#move(BACKGROUND, "release", false);
  }
}
