import {
  type Footprint,
  independent,
  isNothing,
  joined,
  NOTHING,
  type Touched,
} from "../core/footprint.ts";
import { type Choice, clientOf, type Task } from "../core/schedule.ts";
import type { Trace } from "../core/trace.ts";

/** An executed step: all that decides whether it commutes with another step. */
export interface StepEffects {
  readonly task: Task;
  /** What it touched; undefined: it may have touched anything. */
  readonly footprint: Footprint | undefined;
  /** Whether a client sent an operation in it. */
  readonly starts: boolean;
  /** Whether an operation was answered in it. */
  readonly returns: boolean;
}

/**
 * The effects of a step, given the footprint that was predicted for it. A step released nothing if it
 * neither failed nor waited, ended no transaction and made no other client move.
 *
 * @param events what the step added to the trace
 * @param released what the connections that were closed in the step held; undefined: not known
 */
export function effectsOf(
  { task, action }: Choice,
  footprint: Footprint | undefined,
  events: Trace,
  released: Touched | undefined,
): StepEffects {
  const step = {
    task,
    starts: action === "start",
    returns: events.some(({ type }) => type === "return"),
  };
  if (footprint === undefined || released === undefined) return { ...step, footprint: undefined };
  if (!isNothing(released)) {
    const held = joined(footprint.held, released);
    return { ...step, footprint: { ...footprint, held, ends: true } };
  }
  if (!footprint.keeps || footprint.tracked) return { ...step, footprint };
  const releasedNothing = events.every((event) => {
    if (event.type === "move") return true;
    const client = "task" in event ? clientOf(event.task) : event.client;
    if (client !== clientOf(task) || event.type === "wait") return false;
    return (
      event.type !== "result" ||
      (event.result.error === undefined && event.result.transaction === "open")
    );
  });
  if (!releasedNothing) return { ...step, footprint };
  return { ...step, footprint: { ...footprint, held: NOTHING, ends: false } };
}

/**
 * Whether the order of two steps matters: to the database and to what is read from it, or to the real
 * time order of operations, that is, to whether one was answered before another was sent.
 */
export function dependent(a: StepEffects, b: StepEffects): boolean {
  if (clientOf(a.task) === clientOf(b.task)) return true;
  if ((a.starts && b.returns) || (a.returns && b.starts)) return true;
  return !independent(a.footprint, b.footprint);
}
