import type { Snapshot } from "./execution.ts";
import type { Call } from "./history.ts";
import type { Json } from "./json.ts";
import type { Operation } from "./operation.ts";

/** What a model checkers: where clients began, what they asked and were told, and what was left. */
export interface ObservedHistory<Initial extends Json = Json, Op extends Operation = Operation> {
  readonly initial: Initial;
  /** In the order of their invocations. */
  readonly calls: readonly Call<Op>[];
  /** All that was in the database afterwards; undefined where nobody looked. */
  readonly final: Snapshot | undefined;
}

/**
 * The sequential specification of a service: what it answers, and what becomes of its state, when
 * one operation runs after the other. Pure. Its states are never changed, so that a search can go
 * back to them.
 */
export interface Model<
  State = unknown,
  Initial extends Json = Json,
  Op extends Operation = Operation,
> {
  /** The state in which an account begins. */
  init(account: ObservedHistory<Initial, Op>): State;
  /**
   * The states that may follow if the operation takes place in `state`, provided that its response
   * is right there; none if it is not. Where the outcome is unknown (see `isUnknown`): those that
   * may follow if it has an effect. That it never has one is taken care of elsewhere.
   */
  step(state: State, call: Call<Op>): readonly State[];
  /** Equal texts for equal states, others for others. Its JSON, unless the model says otherwise. */
  key?(state: State): string;
  /**
   * The last read: why what was left cannot be what `state` leaves, in words; undefined if it can.
   * It is asked only where an account has a `final`.
   */
  misfit?(state: State, final: Snapshot): string | undefined;
  /** What would have been right for the operation in `state`, in words. For reports. */
  expected?(state: State, call: Call<Op>): string;
  /**
   * Parts of an account that have nothing to do with each other, such as the calendars of different
   * providers: the whole is right if each part is. References to what a client was told before can
   * be replaced by what they stand for.
   */
  split?(account: ObservedHistory<Initial, Op>): readonly ObservedHistory<Initial, Op>[];
}

/** Whether nobody can tell if an operation took effect, or will yet. */
export function isUnknown({ response }: Call): boolean {
  return response === undefined || response.outcome === "info";
}
