import type { Counterexample } from "../core/counterexample.ts";
import { endsProcess, type Fault, isClientKill } from "../core/fault.ts";
import type { Response } from "../core/history.ts";
import type { Operation } from "../core/operation.ts";
import { type Action, BACKGROUND, clientOf, type Task, taskOf } from "../core/schedule.ts";
import type { Place, Result, Statement, TraceEvent } from "../core/trace.ts";
import { clientTask } from "./trace-lines.ts";

/** An event that a report shows in a step. */
export type TimelineEvent =
  | { readonly type: "operation"; readonly task: Task; readonly operation: Operation }
  /** The server received a statement. `result` is set if the statement ended at once. */
  | {
      readonly type: "statement";
      readonly task: Task;
      readonly statement: Statement;
      readonly result?: Result;
    }
  /** Several statements in a row that touch nothing shared. */
  | {
      readonly type: "private";
      readonly task: Task;
      readonly statements: readonly { readonly statement: Statement; readonly result: Result }[];
    }
  | { readonly type: "wait"; readonly task: Task; readonly for: readonly Task[] }
  /** The statement reached a gate inside the server. */
  | { readonly type: "gate"; readonly task: Task; readonly place: Place }
  /** The result of a statement that waited for a lock, or that began in an earlier step. */
  | {
      readonly type: "result";
      readonly task: Task;
      readonly statement: Statement;
      readonly waited: boolean;
      readonly result: Result;
    }
  /** A fault; with the held statement that never reached the server because of it, if any. */
  | {
      readonly type: "fault";
      readonly task: Task;
      readonly fault: Fault;
      readonly statement?: Statement;
      /** The task that continues the pending statements. */
      readonly becomes?: Task;
    }
  /** The service receives a result that the scheduler held. */
  | { readonly type: "deliver"; readonly task: Task }
  | { readonly type: "response"; readonly task: Task; readonly response: Response }
  /** From here on, the committed state violates the rule. */
  | { readonly type: "broken"; readonly task: Task; readonly rule: string };

/** A choice of the scheduler, and all that happened until the next choice. */
export interface Step {
  /** From 1. */
  readonly number: number;
  /** The task that the scheduler chose. */
  readonly task: Task;
  /** The client of the step before, if it could have continued; undefined if this is no preemption. */
  readonly preempts: number | undefined;
  readonly events: readonly TimelineEvent[];
  /** Clients with an open transaction at the start or at the end of the step. */
  readonly inTransaction: ReadonlySet<number>;
}

/** A counterexample, or an execution without a violation. */
export type TimelineSource = Pick<Counterexample, "trace"> &
  Partial<Pick<Counterexample, "violations" | "brokenAt" | "names">>;

/** The number of steps that a page shows. */
export const MAX_PAGE_STEPS = 200;

/** The steps of a trace. A statement and its result are one event if nothing happened in between. */
export function timeline({ trace, violations = [], brokenAt }: TimelineSource): Step[] {
  const builder = new TimelineBuilder();
  for (const event of trace) builder.add(event);
  const [violation] = violations;
  return builder
    .steps()
    .map(withPrivateFolded)
    .map((step) => {
      if (violation === undefined || step.number !== brokenAt) return step;
      const task = lastCommitter(step);
      return { ...step, events: [...step.events, { type: "broken", task, rule: violation.name }] };
    });
}

/** Statements in a row that touch nothing shared, and succeed, become one event. */
function withPrivateFolded({ events, private: isPrivate, ...step }: StepDraft): Step {
  const statementsOf = (event: TimelineEvent) => {
    if (event.type === "private") return event.statements;
    if (!isPrivate.has(event) || event.type !== "statement") return [];
    const { statement, result } = event;
    return result === undefined || result.error !== undefined ? [] : [{ statement, result }];
  };
  const folded: TimelineEvent[] = [];
  for (const event of events) {
    const { task } = event;
    const last = folded.at(-1);
    const before = last?.task === task ? statementsOf(last) : [];
    const own = statementsOf(event);
    if (before.length === 0 || own.length === 0) folded.push(event);
    else folded.splice(-1, 1, { type: "private", task, statements: [...before, ...own] });
  }
  return { ...step, events: folded };
}

/**
 * The task whose commit ends a step. That can be a task other than the chosen one: the step can end
 * the lock wait of another statement, which then commits.
 */
function lastCommitter({ task, events }: Step): Task {
  const commit = events.findLast((event) => {
    const result = event.type === "statement" || event.type === "result" ? event.result : undefined;
    return result?.transaction === "idle" && result.error === undefined;
  });
  return commit?.task ?? task;
}

/** The scenario's clients by number, and those that continue the requests of others. */
export function clientsIn(steps: readonly Step[], clients: number): number[] {
  const last = Math.max(clients - 1, ...steps.map(({ task }) => clientOf(task)));
  return [...Array(last + 1).keys()];
}

/** Whether the background has an event of its own. */
export function usesBackground(steps: readonly Step[]): boolean {
  return steps.some(({ events }) => events.some(({ task }) => clientOf(task) < 0));
}

type StepDraft = Omit<Step, "events" | "inTransaction"> & {
  readonly events: TimelineEvent[];
  readonly inTransaction: Set<number>;
  /** Those of the events that are statements which touch nothing shared. */
  readonly private: Set<TimelineEvent>;
};

class TimelineBuilder {
  readonly #steps: StepDraft[] = [];
  /** Statements at the server, with the position of their event. */
  readonly #running = new Map<Task, { step: StepDraft; at: number; statement: Statement }>();
  readonly #waiting = new Set<Task>();
  /** Tasks with an open transaction. */
  readonly #open = new Set<Task>();
  /** After a crash: the tasks that sent a statement since. The results of all others are lost. */
  #sentSinceCrash: Set<Task> | undefined;

  /** Whether the task moves that belongs to the step before. */
  #isPrivate = false;

  steps(): StepDraft[] {
    return this.#steps;
  }

  add(event: TraceEvent): void {
    switch (event.type) {
      case "move":
        this.#isPrivate = event.private === true && this.#steps.length > 0;
        if (!this.#isPrivate) {
          this.#addStep(event.choice.task, event.choice.action, event.preemption);
        }
        break;
      case "statement":
        this.#addStatement(event.task, event.statement);
        break;
      case "gate":
        this.#waiting.delete(event.task);
        this.#push({ type: "gate", task: event.task, place: event.place });
        break;
      case "wait":
        this.#waiting.add(event.task);
        this.#push({ type: "wait", task: event.task, for: event.for });
        break;
      case "result":
        this.#addResult(event.task, event.result);
        break;
      case "fault":
        this.#addFault(event);
        break;
      case "invoke":
        this.#push({
          type: "operation",
          task: clientTask(event.client),
          operation: event.operation,
        });
        break;
      case "return":
        this.#push({ type: "response", task: clientTask(event.client), response: event.response });
        break;
    }
  }

  #addStep(task: Task, action: Action, preemption: boolean): StepDraft {
    const previous = this.#steps.at(-1);
    const step: StepDraft = {
      number: this.#steps.length + 1,
      task,
      preempts: preemption && previous !== undefined ? clientOf(previous.task) : undefined,
      events: [],
      private: new Set(),
      inTransaction: new Set([...this.#open].map(clientOf)),
    };
    this.#steps.push(step);
    const lost = this.#sentSinceCrash?.has(task) === false;
    if (action === "deliver" && !lost) this.#push({ type: "deliver", task });
    return step;
  }

  #addStatement(task: Task, statement: Statement): void {
    const step = this.#currentStep();
    this.#sentSinceCrash?.add(task);
    this.#running.set(task, { step, at: step.events.length, statement });
    this.#push({ type: "statement", task, statement });
  }

  #addResult(task: Task, result: Result): void {
    const running = this.#running.get(task);
    this.#running.delete(task);
    const step = this.#currentStep();
    if (result.transaction === "idle") this.#open.delete(task);
    else {
      this.#open.add(task);
      step.inTransaction.add(clientOf(task));
    }
    if (running === undefined) return;
    const { statement } = running;
    const waited = this.#waiting.delete(task);
    if (running.step === step && step.events.length === running.at + 1) {
      const event = { type: "statement", task, statement, result } as const;
      step.events[running.at] = event;
      if (this.#isPrivate) step.private.add(event);
    } else {
      this.#push({ type: "result", task, statement, waited, result });
    }
  }

  #addFault(event: Extract<TraceEvent, { readonly type: "fault" }>): void {
    const { events } = this.#currentStep();
    // The scheduler chose to deliver the result, but the fault loses it.
    if (events.at(-1)?.type === "deliver") events.pop();
    if (event.becomes !== undefined) this.#rename(clientOf(event.task), clientOf(event.becomes));
    else {
      if (event.fault === "crash") this.#sentSinceCrash = new Set();
      if (endsProcess(event.fault)) this.#open.clear();
      const ended = (task: Task) =>
        isClientKill(event.fault) && clientOf(task) === clientOf(event.task);
      for (const task of [...this.#open].filter(ended)) this.#open.delete(task);
      if (event.fault !== "cancel") this.#open.delete(event.task);
      this.#waiting.delete(event.task);
    }
    this.#push(event);
  }

  /** Gives the tasks of a client to another client, which continues its request. */
  #rename(client: number, successor: number): void {
    const renamed = (task: Task) => taskOf(successor, Number(task.split(".")[1] ?? 0));
    const tasksOf = (tasks: Iterable<Task>) =>
      [...tasks].filter((task) => clientOf(task) === client);
    for (const tasks of [this.#waiting, this.#open]) {
      for (const task of tasksOf(tasks)) if (tasks.delete(task)) tasks.add(renamed(task));
    }
    for (const task of tasksOf(this.#running.keys())) {
      const running = this.#running.get(task);
      if (running !== undefined) this.#running.set(renamed(task), running);
      this.#running.delete(task);
    }
  }

  #push(event: TimelineEvent): void {
    this.#currentStep().events.push(event);
  }

  /** Events before the first choice, such as a connection check of a pool, belong to the background. */
  #currentStep(): StepDraft {
    return this.#steps.at(-1) ?? this.#addStep(BACKGROUND, "release", false);
  }
}
