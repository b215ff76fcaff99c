import type { Again, Checker, CheckResult } from "../checkers/checker.ts";
import { checkLinearizability } from "../checkers/linearizability.ts";
import {
  MODEL_AGREES,
  modelDisagrees,
  notSerial,
  ownOrder,
  SERIALLY_EQUIVALENT,
  serialEquivalence,
} from "../checkers/serial-equivalence.ts";
import { SerialOrders, type SerialOutcome } from "../checkers/serial-orders.ts";
import { withoutAborted } from "../checkers/without-aborted.ts";
import { type Execution, historyOf, isFaulty } from "../core/execution.ts";
import { calls } from "../core/history.ts";
import type { IdFields } from "../core/ids.ts";
import type { Json } from "../core/json.ts";
import type { Model } from "../core/model.ts";
import type { Operation } from "../core/operation.ts";
import type { Scenario } from "../core/scenario.ts";
import type { Violation } from "../core/verdict.ts";
import { ClientOrder } from "../scheduler/client-order.ts";

/**
 * Compares each execution with serial orders of the same operations, executed on the same database.
 * What orders come to is kept as long as the scenario is the same.
 */
export function serialEquivalenceChecker<State extends Json, Op extends Operation>(
  ids: IdFields,
  model: Model<unknown, State, Op> | undefined,
  aborts: readonly string[] = [],
): Checker<State, Op> {
  let of: Scenario<State, Op> | undefined;
  /** By what is left of the scenario without the operations that were aborted. */
  const known = new Map<string, SerialOrders<Op>>();

  async function check(whole: Execution<State, Op>, again: Again<State, Op>): Promise<CheckResult> {
    if (of !== whole.scenario) known.clear();
    of = whole.scenario;
    const execution = withoutAborted(whole, aborts);
    const { scenario } = execution;
    const left = JSON.stringify(scenario.clients);
    const orders = known.get(left) ?? new SerialOrders<Op>(scenario);
    known.set(left, orders);
    // What a fault did to an order is not what the order comes to.
    const telling = scenario === of && !isFaulty(whole.trace);
    const own = telling ? ownOrder(execution) : undefined;
    const execute = async (order: readonly number[]) => {
      const scheduler = new ClientOrder(order);
      scheduler.begin();
      return outcomeOf(await again(scenario, scheduler));
    };
    const compare = (realTime: boolean) =>
      serialEquivalence(execution, orders, execute, { ids, realTime });
    if (own !== undefined) orders.learn(own, outcomeOf(execution));

    const finding = await compare(false);
    if (finding === "not checked")
      return { violations: [], unchecked: [SERIALLY_EQUIVALENT, ...agrees] };
    if (typeof finding === "object") {
      const undecided = `${SERIALLY_EQUIVALENT.checker}: too many ${finding.tooMany} to try them all`;
      return { violations: [], undecided, unchecked: [SERIALLY_EQUIVALENT] };
    }
    const violations: Violation[] = finding === "different" ? [notSerial(execution)] : [];
    if (model === undefined) return { violations };
    const linear = checkLinearizability(whole, model);
    const right = linear.violations.length === 0 && linear.undecided === undefined;
    if (finding === "different" && right) violations.push(modelDisagrees("allows"));
    if (finding === "equivalent" && linear.violations.length > 0) {
      if ((await compare(true)) === "equivalent") violations.push(modelDisagrees("refuses"));
    }
    return { violations };
  }

  const agrees = model === undefined ? [] : [MODEL_AGREES];
  return { rules: [SERIALLY_EQUIVALENT, ...agrees], check };
}

function outcomeOf({ trace, contents }: Execution): SerialOutcome {
  return { responses: calls(historyOf(trace)).map(({ response }) => response), contents };
}
