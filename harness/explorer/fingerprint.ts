import { createHash } from "node:crypto";
import { type Execution, historyOf } from "../core/execution.ts";
import { calls } from "../core/history.ts";
import { clientOf } from "../core/schedule.ts";

/**
 * What was to be seen of an execution from outside, whatever the order and the ids: which operations
 * ran, how each was answered, and how often its client had to wait. Executions that look alike have
 * the same; so one can see when new ones cease to come. Twelve hexadecimal digits.
 */
export function fingerprintOf({ trace, ending }: Execution): string {
  const waits = new Map<number, number>();
  for (const event of trace) {
    if (event.type !== "wait") continue;
    const client = clientOf(event.task);
    waits.set(client, (waits.get(client) ?? 0) + 1);
  }
  const seen = calls(historyOf(trace)).map(
    ({ operation, response, client }) =>
      `${operation.name} ${response?.code ?? "-"} ${waits.get(client) ?? 0}`,
  );
  const all = JSON.stringify([ending.type, seen.sort()]);
  return createHash("sha256").update(all).digest("hex").slice(0, 12);
}

/** The fingerprints of one scenario's executions, in order. */
export interface Seen {
  /** The scenario's number. */
  readonly scenario: number;
  readonly fingerprints: readonly string[];
}

/** How many fingerprints were known after so many executions. */
export interface Saturation {
  readonly executions: number;
  readonly fingerprints: number;
}

/** As many as a chart needs. */
const POINTS = 50;

/** The curve of what was new, evenly over the executions; the last point is the end. */
export function saturation(all: readonly Seen[]): readonly Saturation[] {
  const executions = all.reduce((sum, { fingerprints }) => sum + fingerprints.length, 0);
  const every = Math.max(1, Math.ceil(executions / POINTS));
  const known = new Set<string>();
  const points: Saturation[] = [];
  let count = 0;
  for (const { fingerprints } of all) {
    for (const behaviour of fingerprints) {
      known.add(behaviour);
      count++;
      if (count % every === 0 || count === executions) {
        points.push({ executions: count, fingerprints: known.size });
      }
    }
  }
  return points;
}
