import type { Snapshot } from "./execution.ts";
import type { Call } from "./history.ts";
import type { Json } from "./json.ts";
import type { Operation } from "./operation.ts";

/** The history that a model checks: the initial state, the calls, and the final state. */
export interface ObservedHistory<Initial extends Json = Json, Op extends Operation = Operation> {
  readonly initial: Initial;
  /** In the order of their invocations. */
  readonly calls: readonly Call<Op>[];
  /** All rows of the database at the beginning, where `initial` is not made of rows. */
  readonly before?: Snapshot | undefined;
  /** All rows of the database at the end; undefined if they were not read. */
  readonly final: Snapshot | undefined;
}

/**
 * The sequential specification of a service: its answers and its state when one operation runs after
 * the other. Its functions are pure, and its states are immutable: a search returns to earlier ones.
 */
export interface Model<
  State = unknown,
  Initial extends Json = Json,
  Op extends Operation = Operation,
> {
  /** The state in which a history begins. */
  init(history: ObservedHistory<Initial, Op>): State;
  /**
   * The states that may follow if the operation takes place in `state` and has this response; none
   * if the response is wrong there. If the outcome is unknown (see `isUnknown`): the states that may
   * follow if the operation takes effect. The search itself covers that it never does.
   */
  step(state: State, call: Call<Op>): readonly State[];
  /** A text that is equal for equal states only. Default: the JSON of the state. */
  key?(state: State): string;
  /**
   * How the final rows differ from `state`, in words; undefined if they match. It is called only if a
   * history has a `final`.
   */
  mismatch?(state: State, final: Snapshot): string | undefined;
  /** The right response to the operation in `state`, in words, for reports. */
  expected?(state: State, call: Call<Op>): string;
  /**
   * Splits a history into independent parts, such as the calendars of different providers: the whole
   * is linearizable if each part is. References to earlier answers can be replaced by what they
   * refer to.
   */
  split?(history: ObservedHistory<Initial, Op>): readonly ObservedHistory<Initial, Op>[];
}

/** Whether it is unknown if the operation took effect, or still will. */
export function isUnknown({ response }: Call): boolean {
  return response === undefined || response.outcome === "info";
}
