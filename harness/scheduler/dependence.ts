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

/** A step that was made, as far as it matters in which order it came with others. */
export interface StepEffects {
  readonly task: Task;
  /** Undefined: anything. */
  readonly footprint: Footprint | undefined;
  /** It sent a operation. */
  readonly starts: boolean;
  /** A operation was answered in it. */
  readonly returns: boolean;
}

/**
 * What a step turned out to do, given what it might have done. One that neither failed nor waited,
 * ended no transaction and concerned nobody else has let go of nothing, but for `released` where
 * connections were closed.
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
  const quiet = events.every((event) => {
    if (event.type === "move") return true;
    const its = "task" in event ? clientOf(event.task) : event.client;
    if (its !== clientOf(task) || event.type === "wait") return false;
    return (
      event.type !== "result" ||
      (event.result.error === undefined && event.result.transaction === "open")
    );
  });
  return { ...step, footprint: quiet ? { ...footprint, held: NOTHING, ends: false } : footprint };
}

/**
 * Whether the order of two steps matters: to what is done and seen in the database, or to which
 * operation was answered before which one was sent.
 */
export function dependent(a: StepEffects, b: StepEffects): boolean {
  if (clientOf(a.task) === clientOf(b.task)) return true;
  if ((a.starts && b.returns) || (a.returns && b.starts)) return true;
  return !independent(a.footprint, b.footprint);
}
