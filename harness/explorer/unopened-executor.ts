import { HarnessError } from "../core/error.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
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
  | "routines"
  | "close"
>;

/** Stands for the executor of a campaign that was interrupted in its setup, for the report: it executes nothing. */
function unopenedExecutor<State extends Json, Op extends Operation>(): Executor<State, Op> {
  const unopened: CampaignExecutor<State, Op> = {
    execute: () => Promise.reject(new HarnessError("INTERRUPTED", "interrupted in the setup")),
    ordersWakes: false,
    lockWaits: "polled",
    notes: new Set(["Nothing was executed: the run was interrupted in its setup."]),
    uninstrumented: [],
    uncontrolled: [],
    ungated: [],
    routines: {},
    close: async () => {},
  };
  return unopened as Executor<State, Op>;
}

/** The executor that `open` opens, or the one that stands for it if the run is interrupted meanwhile. */
export async function openedUnlessInterrupted<State extends Json, Op extends Operation>(
  open: () => Promise<Executor<State, Op>>,
): Promise<Executor<State, Op>> {
  try {
    return await open();
  } catch (error) {
    if (error instanceof HarnessError && error.code === "INTERRUPTED") return unopenedExecutor();
    throw error;
  }
}
