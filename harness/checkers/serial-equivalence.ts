import { type Execution, historyOf, isFaulty, type Snapshot } from "../core/execution.ts";
import { type Call, calls } from "../core/history.ts";
import type { IdFields } from "../core/ids.ts";
import type { Json } from "../core/json.ts";
import { isUnknown, type Model } from "../core/model.ts";
import type { Operation } from "../core/operation.ts";
import { differingTables, type OrderDifference } from "../core/order-difference.ts";
import type { Scenario } from "../core/scenario.ts";
import { clientOf } from "../core/schedule.ts";
import type { TraceEvent } from "../core/trace.ts";
import type { Violation } from "../core/verdict.ts";
import { VolatileComparison } from "../core/volatile.ts";
import { renamed } from "../core/volatile-values.ts";
import { ClientOrder } from "../scheduler/client-order.ts";
import { ReplayScheduler } from "../scheduler/replay.ts";
import type { Checker, CheckResult, Reexecute } from "./checker.ts";
import { IdBijection } from "./id-bijection.ts";
import { type Assumption, assumptionsOf, withoutAborted } from "./left-out-operations.ts";
import { checkLinearizability } from "./linearizability.ts";
import { differencesOf } from "./order-differences.ts";
import {
  type Execute,
  type SerialOrder,
  SerialOrders,
  type SerialOutcome,
  type TooMany,
} from "./serial-orders.ts";
import { areFarApart, unrepeated, withDaysAhead, withoutVarying } from "./varying-values.ts";

const SERIALLY_EQUIVALENT = {
  checker: "serial-equivalence",
  name: "serially-equivalent",
  description:
    "The answers and the final state are those of some order in which the same operations run one " +
    "after the other, each client's in its order; generated ids may differ, and times of the clock by less than a day.",
} as const;

/** It compares two checkers, and counts as neither. */
const MODEL_AGREES = {
  checker: "agreement",
  name: "model-agrees",
  description:
    "What the model accepts is the result of some serial order of the operations; and the model " +
    "accepts the result of every serial order that keeps to real time.",
} as const;

/** The most orders that an execution without an equal one is compared with: all of four operations. */
const EXPLAINED = 24;

/** The most orders that are executed to find one that is equal to an execution. */
const EXECUTIONS = 100;

/**
 * Compares each execution with serial orders of the same operations, executed on the same database;
 * the results of the orders are reused for all executions of one scenario. Where the service has a
 * model, it also reports where the model and the serial orders disagree. Values that differ in each
 * execution are looked for where no order has the same result: the execution and the orders are then
 * executed twice.
 *
 * @param aborts response codes that mean that an operation gave way to others and had no effect
 */
export function serialEquivalenceChecker<State extends Json, Op extends Operation>(
  ids: IdFields,
  model: Model<unknown, State, Op> | undefined,
  aborts: readonly string[] = [],
): Checker<State, Op> {
  let current: Scenario<State, Op> | undefined;
  /** Where it begins: a prefix that is performed once more may make rows with other ids. */
  let initial: Snapshot | undefined;
  /** By the operations that are not left out. */
  const ordersByOperations = new Map<string, SerialOrders<Op>>();
  const modelRules = model === undefined ? [] : [MODEL_AGREES];

  async function check(
    whole: Execution<State, Op>,
    reexecute: Reexecute<State, Op>,
  ): Promise<CheckResult> {
    if (current !== whole.scenario || initial !== whole.initialContents) ordersByOperations.clear();
    current = whole.scenario;
    initial = whole.initialContents;
    const execution = withoutAborted(whole, aborts);
    const compareAs = async (assume: Assumption, realTime: boolean): Promise<Comparison> => {
      const assumed = assume(execution);
      const { scenario } = assumed;
      const operations = JSON.stringify(scenario.clients);
      const orders = ordersByOperations.get(operations) ?? new SerialOrders<Op>(scenario);
      ordersByOperations.set(operations, orders);
      // A fault or an operation that is left out may have changed the result of the order.
      const isPlain = scenario === current && !isFaulty(whole.trace);
      const order = isPlain ? serialOrderOf(assumed) : undefined;
      if (order !== undefined) orders.learn(order, outcomeOf(assumed));
      const execute = async (serial: SerialOrder) => {
        const scheduler = new ClientOrder(serial);
        scheduler.begin();
        return outcomeOf(await reexecute(scenario, scheduler));
      };
      const reexecuteWhole = async () => {
        const replay = new ReplayScheduler(whole.schedule);
        replay.begin();
        return outcomeOf(assume(withoutAborted(await reexecute(whole.scenario, replay), aborts)));
      };
      const options = { ids, realTime };
      const plain = await compareWithOrders(assumed, orders, execute, options);
      if (!isDifferent(plain)) return plain;
      const outcome = outcomeOf(assumed);
      const steady = withoutVolatile(outcome, await reexecuteWhole(), scenario);
      if (JSON.stringify(steady) === JSON.stringify(outcome)) return plain;
      const executeTwice = async (serial: SerialOrder) =>
        withoutVolatile(await execute(serial), await execute(serial), scenario);
      return compareWithOrders(
        withOutcome(assumed, steady),
        new SerialOrders<Op>(scenario),
        executeTwice,
        options,
      );
    };
    const compare = async (realTime: boolean): Promise<Comparison> => {
      let result: Comparison | undefined;
      for (const assume of assumptionsOf(execution)) {
        const comparison = await compareAs(assume, realTime);
        if (comparison === "equivalent") return comparison;
        if (result === undefined || !isDifferent(comparison)) result = comparison;
      }
      return result ?? "not checked";
    };

    const comparison = await compare(false);
    if (comparison === "not checked") {
      return { violations: [], unchecked: [SERIALLY_EQUIVALENT, ...modelRules] };
    }
    if (typeof comparison === "object" && "tooMany" in comparison) {
      const undecided = `${SERIALLY_EQUIVALENT.checker}: too many ${comparison.tooMany} to try them all`;
      return { violations: [], undecided, unchecked: [SERIALLY_EQUIVALENT] };
    }
    const violations = isDifferent(comparison) ? [notSerial(execution, comparison.different)] : [];
    if (model === undefined) return { violations };
    const linear = checkLinearizability(whole, model);
    const accepted = linear.violations.length === 0 && linear.undecided === undefined;
    if (isDifferent(comparison) && accepted) violations.push(modelDisagrees("allows"));
    if (comparison === "equivalent" && linear.violations.length > 0) {
      if ((await compare(true)) === "equivalent") violations.push(modelDisagrees("refuses"));
    }
    return { violations };
  }

  return { rules: [SERIALLY_EQUIVALENT, ...modelRules], check };
}

type Comparison =
  | "equivalent"
  | "not checked"
  | { readonly tooMany: TooMany }
  | { readonly different: readonly OrderDifference[] };

function isDifferent(
  comparison: Comparison,
): comparison is Extract<Comparison, { different: unknown }> {
  return typeof comparison === "object" && "different" in comparison;
}

/**
 * Whether some serial order of an execution's operations has the same result; if none has, how each of the
 * first orders differs. An execution is not checked if answers are missing, since they could have been
 * anything; nor if no order was found and an operation names a guessed id, which means something else in
 * another order.
 */
async function compareWithOrders<State extends Json, Op extends Operation>(
  execution: Execution<State, Op>,
  orders: SerialOrders<Op>,
  execute: Execute,
  { ids, realTime }: { readonly ids: IdFields; readonly realTime: boolean },
): Promise<Comparison> {
  const { scenario, trace, contents, initialContents, completion } = execution;
  const all = calls(historyOf(trace));
  if (contents === undefined || completion.type === "stuck" || all.some(isUnknown)) {
    return "not checked";
  }
  const bijection = IdBijection.from(initialContents ?? scenario.initial, ids);
  const found = await orders.find(
    { calls: all, contents, bijection, realTime, executions: EXECUTIONS },
    execute,
  );
  if (found === "orders" || found === "isomorphisms") return { tooMany: found };
  if (found !== "none") return "equivalent";
  const guessed = all.some(({ operation }) => !bijection.knows(operation, ""));
  if (guessed) return "not checked";
  const outcomes = await orders.first(all, EXPLAINED, execute);
  return { different: differencesOf({ calls: all, contents, bijection }, outcomes) };
}

/**
 * The order of whole operations that an execution is itself; undefined if a task moved between the
 * start of another client's operation and its answer, or after its own answer.
 */
function serialOrderOf({ trace }: Execution): SerialOrder | undefined {
  const order: number[] = [];
  let running: number | undefined;
  for (const event of trace) {
    if (event.type === "invoke") {
      if (running !== undefined) return undefined;
      running = event.client;
      order.push(event.client);
    } else if (event.type === "return") running = undefined;
    else if (event.type === "move" && event.choice.action !== "start") {
      if (clientOf(event.choice.task) !== running) return undefined;
    }
  }
  return order;
}

function outcomeOf({ trace, contents }: Execution): SerialOutcome {
  return { responses: calls(historyOf(trace)).map(({ response }) => response), contents };
}

/**
 * An outcome with placeholders for the values that differ from those of a second execution of the same schedule,
 * numbered in the order of the answers where they look volatile.
 */
function withoutVolatile(
  first: SerialOutcome,
  second: SerialOutcome,
  inputs: Scenario,
): SerialOutcome {
  const looksVolatile = (left: Json, right: Json) =>
    !areFarApart(left, right) &&
    new VolatileComparison({ inputs }).difference([{ body: left }], [{ body: right }]) ===
      undefined;
  const without = <T extends Json>(left: T, right: Json) =>
    withoutVarying(left, right, looksVolatile) as readonly [T, T];
  const responses = first.responses.map((mine, at) => {
    const other = second.responses[at];
    if (mine === undefined || other === undefined) return [mine, other] as const;
    const [body, otherBody] = without(mine.body, other.body);
    return [
      { ...mine, body },
      { ...other, body: otherBody },
    ] as const;
  });
  const [contents, otherContents] =
    first.contents === undefined || second.contents === undefined
      ? [first.contents, second.contents]
      : without(first.contents, second.contents);
  const steady = { responses: responses.map(([mine]) => mine), contents };
  const other = { responses: responses.map(([, its]) => its), contents: otherContents };
  const comparison = new VolatileComparison({ inputs });
  const isSame = comparison.difference(partsOf(steady), partsOf(other)) === undefined;
  // Rows that are alike but for such values may have been paired otherwise than their answers.
  const values = isSame ? comparison.values : unrepeated(partsOf(steady), partsOf(other));
  return withDaysAhead(renamed(steady, values), values, Date.now());
}

function withOutcome<State extends Json, Op extends Operation>(
  execution: Execution<State, Op>,
  { responses, contents }: SerialOutcome,
): Execution<State, Op> {
  const all = calls(historyOf(execution.trace));
  const trace = execution.trace.map((event): TraceEvent<Op> => {
    if (event.type !== "return") return event;
    const at = all.findIndex(
      ({ client, index }) => client === event.client && index === event.index,
    );
    return { ...event, response: responses[at] ?? event.response };
  });
  return { ...execution, trace, contents };
}

function partsOf({ responses, contents }: SerialOutcome): readonly unknown[] {
  return [...responses.map((response) => ({ response })), { contents }];
}

/** @param orders how the execution differs from serial orders, the nearest first */
function notSerial(execution: Execution, orders: readonly OrderDifference[]): Violation {
  const all = calls(historyOf(execution.trace));
  const { checker, name } = SERIALLY_EQUIVALENT;
  return {
    checker,
    name,
    message:
      all.length === 1
        ? "without a fault the only operation gives another answer or another final state"
        : `no serial order of the ${all.length} operations gives these answers and this final state`,
    evidence: all.map(({ client, operation, response }: Call) => ({
      client,
      operation: operation.name,
      answer: response?.code ?? "",
      body: response?.body ?? null,
    })),
    about: aboutOf(orders),
    orders,
  };
}

/** The tables that differ from the nearest order; none where answers alone do. */
function aboutOf([nearest]: readonly OrderDifference[]): readonly string[] {
  return nearest === undefined ? [] : differingTables(nearest);
}

/** Either the model or the service is wrong. */
function modelDisagrees(how: "allows" | "refuses"): Violation {
  const { checker, name } = MODEL_AGREES;
  const message =
    how === "allows"
      ? "the model accepts this, but no serial order of the operations results in it"
      : "a serial order of the operations in real time results in this, but the model refuses it";
  return { checker, name, message, evidence: [] };
}
