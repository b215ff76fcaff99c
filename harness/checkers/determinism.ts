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
 * Executes each schedule once more, whatever strategy it came from, and compares all that was seen,
 * UUIDs and the clock's times aside. Numbers are compared as they are: sequences restart.
 *
 * @param ordersWakes whether it is a choice who of several woken sessions goes first; where it is
 * not, a difference may be the server's doing, and is no finding but a doubt
 */
export function determinismChecker<State extends Json, Op extends Operation>(
  ordersWakes: boolean,
): Checker<State, Op> {
  return {
    rules: [RULE],
    check: async (execution, again) => {
      const replay = new ReplayScheduler(execution.schedule);
      replay.begin();
      const second = await again(execution.scenario, replay);
      const evidence = firstDifference(comparable(execution), comparable(second));
      if (evidence === undefined) return { violations: [] };
      if (!ordersWakes) {
        return {
          violations: [],
          undecided:
            "the same schedule gave another execution, and on this server it may be chance who of several woken sessions goes first",
        };
      }
      const message = "the same schedule gave another execution";
      return {
        violations: [{ checker: RULE.checker, name: RULE.name, message, evidence: [evidence] }],
      };
    },
  };
}

/** Whether a violation can be seen again only where determinism is checked. */
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

/** All that was seen, event by event, and then how it ended and what it left. */
function comparable(execution: Execution): readonly string[] {
  const { trace, ending, openTransactions, snapshot, contents } = execution;
  const known = new Set(timesIn(JSON.stringify(execution.scenario)));
  const uuids = new Map<string, string>();
  const parts = [...trace, { ending, openTransactions, snapshot, contents }];
  return parts.map((part) =>
    JSON.stringify(part)
      .replace(UUID, (uuid) => {
        const name = uuids.get(uuid.toLowerCase()) ?? `uuid ${uuids.size + 1}`;
        uuids.set(uuid.toLowerCase(), name);
        return name;
      })
      .replace(TIME, (time) => (known.has(Date.parse(time)) ? time : "time")),
  );
}

const UUID = /[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/gi;

/** As JSON or Postgres writes it. */
const TIME = /\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}(?::?\d{2})?)?/g;

/** In ms; a scenario's own times are no matter of the clock. */
function timesIn(text: string): readonly number[] {
  return [...text.matchAll(TIME)].map(([time]) => Date.parse(time));
}
