import type { Execution } from "../core/execution.ts";
import type { Json, JsonObject } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import { ReplayScheduler } from "../scheduler/replay.ts";
import type { Checker } from "./checker.ts";

const RULE = {
  checker: "determinism",
  name: "same-schedule-same-execution",
  description:
    "Under the same schedule a scenario has the same statements, waits, responses and final state.",
} as const;

/**
 * Executes each schedule once more and compares the two executions, except for UUIDs and for times
 * of the clock. Numbers are compared as they are, since sequences restart.
 *
 * @param ordersWakes whether the scheduler chooses which of several woken sessions continues first; if
 * it does not, a difference may be chance and makes the result undecided
 */
export function determinismChecker<State extends Json, Op extends Operation>(
  ordersWakes: boolean,
): Checker<State, Op> {
  return {
    rules: [RULE],
    check: async (execution, reexecute) => {
      const replay = new ReplayScheduler(execution.schedule);
      replay.begin();
      const second = await reexecute(execution.scenario, replay);
      const evidence = firstDifference(comparable(execution), comparable(second));
      if (evidence === undefined) return { violations: [] };
      if (!ordersWakes) {
        return {
          violations: [],
          undecided:
            "the same schedule gave another execution, which may be chance: on this server Heddle does not order the wake-up of several sessions",
        };
      }
      const message = "the same schedule gave another execution";
      return {
        violations: [{ checker: RULE.checker, name: RULE.name, message, evidence: [evidence] }],
      };
    },
  };
}

/** Whether a violation is one of this checker: a replay finds it only if it applies the checker. */
export function isOfDeterminism({ checker }: { readonly checker: string }): boolean {
  return checker === RULE.checker;
}

function firstDifference(
  first: readonly string[],
  second: readonly string[],
): JsonObject | undefined {
  const longer = first.length > second.length ? first : second;
  const at = longer.findIndex((_, index) => first[index] !== second[index]);
  return at < 0 ? undefined : { event: at, first: first[at] ?? null, second: second[at] ?? null };
}

/** The events of an execution in text form, then its end and its final state. */
function comparable(execution: Execution): readonly string[] {
  const { trace, completion, openTransactions, snapshot, contents } = execution;
  const scenarioTimes = new Set(timesIn(JSON.stringify(execution.scenario)));
  const uuids = new Map<string, string>();
  const parts = [...trace, { completion, openTransactions, snapshot, contents }];
  return parts.map((part) =>
    JSON.stringify(part)
      .replace(UUID, (uuid) => {
        const name = uuids.get(uuid.toLowerCase()) ?? `uuid ${uuids.size + 1}`;
        uuids.set(uuid.toLowerCase(), name);
        return name;
      })
      .replace(TIME, (time) => (scenarioTimes.has(Date.parse(time)) ? time : "time")),
  );
}

const UUID = /[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/gi;

/** A time as JSON or Postgres writes it. */
const TIME = /\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}(?::?\d{2})?)?/g;

/** In ms. Times that a scenario contains do not come from the clock. */
function timesIn(text: string): readonly number[] {
  return [...text.matchAll(TIME)].map(([time]) => Date.parse(time));
}
