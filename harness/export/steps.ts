import { FAULTS } from "../core/fault.ts";
import { clientOf, type Lane } from "../core/schedule.ts";
import type { Result, Statement, Trace } from "../core/trace.ts";

/** A statement, in the order in which they reached the server. */
export interface ExportedStep {
  /** From 1. */
  readonly number: number;
  readonly lane: Lane;
  readonly statement: Statement;
  /** Whose locks it waited for; none if it did not wait. */
  readonly waitsFor: readonly Lane[];
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
  const running = new Map<Lane, Draft>();
  /** Where statements stand inside the server. */
  const standing = new Map<Lane, string>();
  let obstacle: string | undefined;
  for (const event of trace) {
    switch (event.type) {
      case "move": {
        const { lane } = event.choice;
        standing.delete(lane);
        const [held] = standing;
        if (held !== undefined) obstacle ??= whileHeld(lane, ...held);
        break;
      }
      case "statement": {
        const { lane, statement } = event;
        const step = { number: steps.length + 1, lane, statement, waitsFor: [], result: undefined };
        steps.push(step);
        running.set(lane, step);
        break;
      }
      case "gate": {
        const { of, line } = event.place;
        standing.set(event.lane, line === null ? of : `${of}, line ${line}`);
        break;
      }
      case "wait": {
        const step = running.get(event.lane);
        if (step !== undefined) step.waitsFor = event.for;
        break;
      }
      case "fault":
        obstacle ??= `${sessionName(event.lane)} is struck by a fault: ${FAULTS[event.fault]}`;
        break;
      case "result": {
        const step = running.get(event.lane);
        if (step !== undefined) step.result = event.result;
        standing.delete(event.lane);
        running.delete(event.lane);
        break;
      }
    }
  }
  return { steps, obstacle };
}

function whileHeld(mover: Lane, held: Lane, place: string): string {
  return (
    `${sessionName(mover)} moves while ${sessionName(held)} stands inside a statement ` +
    `(${place}), where only Heddle can hold it`
  );
}

/** `client0`, `client0_1` for its second connection, `background`. */
export function sessionName(lane: Lane): string {
  const client = clientOf(lane);
  const [, ordinal] = lane.split(".");
  const name = client < 0 ? "background" : `client${client}`;
  return ordinal === undefined ? name : `${name}_${ordinal}`;
}
