import {
  type Footprint,
  independent,
  isNothing,
  joined,
  NOTHING,
  type Touched,
} from "../core/footprint.ts";
import { type Choice, clientOf, type Lane } from "../core/schedule.ts";
import type { Trace } from "../core/trace.ts";

/** A step that was made, as far as it matters in which order it came with others. */
export interface Happened {
  readonly lane: Lane;
  /** Undefined: anything. */
  readonly footprint: Footprint | undefined;
  /** It sent a command. */
  readonly starts: boolean;
  /** A command was answered in it. */
  readonly returns: boolean;
}

/**
 * What a step turned out to do, given what it might have done. One that neither failed nor waited,
 * ended no transaction and concerned nobody else has let go of nothing, but for `letGo` where
 * connections were closed.
 */
export function happened(
  { lane, action }: Choice,
  footprint: Footprint | undefined,
  events: Trace,
  letGo: Touched | undefined,
): Happened {
  const step = {
    lane,
    starts: action === "start",
    returns: events.some(({ type }) => type === "return"),
  };
  if (footprint === undefined || letGo === undefined) return { ...step, footprint: undefined };
  if (!isNothing(letGo)) {
    const held = joined(footprint.held, letGo);
    return { ...step, footprint: { ...footprint, held, ends: true } };
  }
  if (!footprint.keeps || footprint.tracked) return { ...step, footprint };
  const quiet = events.every((event) => {
    if (event.type === "move") return true;
    const its = "lane" in event ? clientOf(event.lane) : event.client;
    if (its !== clientOf(lane) || event.type === "wait") return false;
    return (
      event.type !== "result" ||
      (event.result.error === undefined && event.result.transaction === "open")
    );
  });
  return { ...step, footprint: quiet ? { ...footprint, held: NOTHING, ends: false } : footprint };
}

/**
 * Whether the order of two steps matters: to what is done and seen in the database, or to which
 * command was answered before which one was sent.
 */
export function dependent(a: Happened, b: Happened): boolean {
  if (clientOf(a.lane) === clientOf(b.lane)) return true;
  if ((a.starts && b.returns) || (a.returns && b.starts)) return true;
  return !independent(a.footprint, b.footprint);
}
