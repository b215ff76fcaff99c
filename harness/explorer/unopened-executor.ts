import { HarnessError } from "../core/error.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import { Discoveries } from "../execution/discoveries.ts";
import type { Executor } from "../execution/executor.ts";

/** What a campaign asks of an executor. */
type CampaignExecutor<State extends Json, Op extends Operation> = Pick<
  Executor<State, Op>,
  | "execute"
  | "ordersWakes"
  | "lockWaits"
  | "notes"
  | "uninstrumented"
  | "uncontrolled"
  | "ungated"
  | "takeUngatedStates"
  | "discoveries"
  | "routines"
  | "close"
>;

/** Stands for the executor of a campaign that was interrupted in its setup, for the report: it executes nothing. */
export function unopenedExecutor<State extends Json, Op extends Operation>(): Executor<State, Op> {
  const unopened: CampaignExecutor<State, Op> = {
    execute: () => Promise.reject(new HarnessError("INTERRUPTED", "interrupted in the setup")),
    ordersWakes: false,
    lockWaits: "polled",
    notes: new Set(["Nothing was executed: the run was interrupted in its setup."]),
    uninstrumented: [],
    uncontrolled: [],
    ungated: [],
    takeUngatedStates: () => [],
    discoveries: new Discoveries(),
    routines: {},
    close: async () => {},
  };
  return unopened as Executor<State, Op>;
}

/** Handles the error of a promise: gives `instead` if the run was interrupted meanwhile, and throws any other error. */
export function ifInterrupted<T>(instead: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof HarnessError && error.code === "INTERRUPTED") return instead;
    throw error;
  };
}
