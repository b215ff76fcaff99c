import type { Counterexample } from "../core/counterexample.ts";
import { FAULTS } from "../core/fault.ts";
import { clientOf, type Task } from "../core/schedule.ts";
import type { Result, Statement, Trace } from "../core/trace.ts";

/** A violation as SQL: what psql or isolationtester need to show it. */
export interface Reproduction {
  readonly counterexample: Pick<Counterexample, "service" | "mutant" | "violations" | "control">;
  /** Creates the initial state in an empty database. Each element has one or more statements. */
  readonly setup: readonly string[];
  readonly steps: readonly ExportedStep[];
  /** Queries that show the violation after the last step. */
  readonly check: readonly string[];
}

/** The tasks that send a statement, in the order of their numbers. */
export function tasksOf({ steps }: Pick<Reproduction, "steps">): Task[] {
  const tasks = [...new Set(steps.map(({ task }) => task))];
  return tasks.sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
}

/**
 * The statements that a session begins with: the default isolation level and, if the execution has a
 * deadlock, a `deadlock_timeout` by which the same session becomes the victim.
 */
export function sessionSettings({ counterexample, steps }: Reproduction, task: Task): string[] {
  const settings: string[] = [];
  const { isolation } = counterexample.control;
  if (isolation !== "read committed") {
    settings.push(`set default_transaction_isolation = '${isolation}'`);
  }
  const victims = steps.filter(({ result }) => result?.error?.sqlstate === "40P01");
  if (victims.length > 0) {
    const victim = victims.some((step) => step.task === task);
    settings.push(`set deadlock_timeout = '${victim ? "10ms" : "100s"}'`);
  }
  return settings;
}

/** A line for each violation: `NAME (CHECKER): MESSAGE`. */
export function violationLines({ counterexample }: Reproduction): string[] {
  return counterexample.violations.map(
    ({ checker, name, message }) => `${name} (${checker}): ${message}`,
  );
}

/** The visible outcome of a step: `waits for client0, then INSERT 0 1`, `ERROR 40P01: …`. */
export function stepOutcome(
  { waitsFor, result }: ExportedStep,
  name: (task: Task) => string,
): string {
  const waits = waitsFor.length === 0 ? [] : [`waits for ${waitsFor.map(name).join(" and ")}`];
  const error = result?.error;
  const failed = error === undefined ? [] : [`ERROR ${error.sqlstate}: ${error.message}`];
  const answer = [...(result?.tags ?? []), ...failed].join("; ");
  return [...waits, answer === "" ? "no answer" : answer].join(", then ");
}

/** A statement of an execution, in the order in which statements reached the server. */
export interface ExportedStep {
  /** Counts from 1. */
  readonly number: number;
  readonly task: Task;
  readonly statement: Statement;
  /** The tasks whose locks the statement waited for; empty if it did not wait. */
  readonly waitsFor: readonly Task[];
  /** Undefined if the server did not answer. */
  readonly result: Result | undefined;
}

/** The statements of an execution, as a tool that controls only when each is sent can repeat them. */
export interface ExportedSteps {
  readonly steps: readonly ExportedStep[];
  /** Why such a tool cannot repeat the execution; undefined if it can. */
  readonly obstacle: string | undefined;
}

type Draft = { -readonly [key in keyof ExportedStep]: ExportedStep[key] };

/** The statements of a trace in the order in which they were sent. */
export function exportedSteps(trace: Trace): ExportedSteps {
  const steps: Draft[] = [];
  const running = new Map<Task, Draft>();
  /** The places of gates at which statements are held inside the server. */
  const held = new Map<Task, string>();
  let obstacle: string | undefined;
  for (const event of trace) {
    switch (event.type) {
      case "move": {
        const { task } = event.choice;
        held.delete(task);
        const [other] = held;
        if (other !== undefined) obstacle ??= movedWhileHeld(task, ...other);
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
        held.set(event.task, line === null ? of : `${of}, line ${line}`);
        break;
      }
      case "wait": {
        const step = running.get(event.task);
        if (step !== undefined) step.waitsFor = event.for;
        break;
      }
      case "fault":
        obstacle ??= `a fault is injected into ${sessionName(event.task)}: ${FAULTS[event.fault]}`;
        break;
      case "result": {
        const step = running.get(event.task);
        if (step !== undefined) step.result = event.result;
        held.delete(event.task);
        running.delete(event.task);
        break;
      }
    }
  }
  return { steps, obstacle };
}

function movedWhileHeld(mover: Task, held: Task, place: string): string {
  return (
    `${sessionName(mover)} moves while ${sessionName(held)} is inside a statement ` +
    `(${place}), where only a gate of Heddle can hold it`
  );
}

/** The name of a task's session: `client0`, `client0_1` for task 0.1, or `background`. */
export function sessionName(task: Task): string {
  const client = clientOf(task);
  const [, ordinal] = task.split(".");
  const name = client < 0 ? "background" : `client${client}`;
  return ordinal === undefined ? name : `${name}_${ordinal}`;
}
