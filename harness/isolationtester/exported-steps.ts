import { FAULTS } from "../core/fault.ts";
import { clientOf, type Task } from "../core/schedule.ts";
import type { Result, Statement, Trace } from "../core/trace.ts";

/** A statement, in the order in which they reached the server. */
export interface ExportedStep {
  /** From 1. */
  readonly number: number;
  readonly task: Task;
  readonly statement: Statement;
  /** Whose locks it waited for; none if it did not wait. */
  readonly waitsFor: readonly Task[];
  /** Undefined if the server never answered. */
  readonly result: Result | undefined;
}

/** An execution as others can repeat it, who decide when each statement is sent, and no more. */
export interface Story {
  readonly steps: readonly ExportedStep[];
  /** Why they cannot; undefined if they can. */
  readonly obstacle: string | undefined;
}

type Draft = { -readonly [key in keyof ExportedStep]: ExportedStep[key] };

export function storyOf(trace: Trace): Story {
  const steps: Draft[] = [];
  const running = new Map<Task, Draft>();
  /** Where statements stand inside the server. */
  const standing = new Map<Task, string>();
  let obstacle: string | undefined;
  for (const event of trace) {
    switch (event.type) {
      case "move": {
        const { task } = event.choice;
        standing.delete(task);
        const [held] = standing;
        if (held !== undefined) obstacle ??= whileHeld(task, ...held);
        break;
      }
      case "statement": {
        const { task, statement } = event;
        const step = { number: steps.length + 1, task, statement, waitsFor: [], result: undefined };
        steps.push(step);
        running.set(task, step);
        break;
      }
      case "gate": {
        const { of, line } = event.place;
        standing.set(event.task, line === null ? of : `${of}, line ${line}`);
        break;
      }
      case "wait": {
        const step = running.get(event.task);
        if (step !== undefined) step.waitsFor = event.for;
        break;
      }
      case "fault":
        obstacle ??= `${sessionName(event.task)} is struck by a fault: ${FAULTS[event.fault]}`;
        break;
      case "result": {
        const step = running.get(event.task);
        if (step !== undefined) step.result = event.result;
        standing.delete(event.task);
        running.delete(event.task);
        break;
      }
    }
  }
  return { steps, obstacle };
}

function whileHeld(mover: Task, held: Task, place: string): string {
  return (
    `${sessionName(mover)} moves while ${sessionName(held)} stands inside a statement ` +
    `(${place}), where only Heddle can hold it`
  );
}

/** `client0`, `client0_1` for its second connection, `background`. */
export function sessionName(task: Task): string {
  const client = clientOf(task);
  const [, ordinal] = task.split(".");
  const name = client < 0 ? "background" : `client${client}`;
  return ordinal === undefined ? name : `${name}_${ordinal}`;
}
