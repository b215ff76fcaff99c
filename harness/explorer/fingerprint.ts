import { createHash } from "node:crypto";
import { type Execution, historyOf } from "../core/execution.ts";
import { calls } from "../core/history.ts";
import { clientOf } from "../core/schedule.ts";

/**
 * A fingerprint of an execution's behaviour, independent of order and ids: the operations, their
 * response codes, and how often each client waited. Executions that behave alike have the same
 * fingerprint, so that a report can show when no new ones appear. Twelve hexadecimal digits.
 */
export function fingerprintOf({ trace, completion }: Execution): string {
  const waits = new Map<number, number>();
  for (const event of trace) {
    if (event.type !== "wait") continue;
    const client = clientOf(event.task);
    waits.set(client, (waits.get(client) ?? 0) + 1);
  }
  const behaviours = calls(historyOf(trace)).map(
    ({ operation, response, client }) =>
      `${operation.name} ${response?.code ?? "-"} ${waits.get(client) ?? 0}`,
  );
  const all = JSON.stringify([completion.type, behaviours.sort()]);
  return createHash("sha256").update(all).digest("hex").slice(0, 12);
}

/** The fingerprints of one scenario's executions, in order. */
export interface ScenarioFingerprints {
  /** The scenario's number. */
  readonly scenario: number;
  readonly fingerprints: readonly string[];
}

/** The number of different fingerprints after so many executions. */
export interface Saturation {
  readonly executions: number;
  readonly fingerprints: number;
}

/** The most points: more would not show in a chart. */
const POINTS = 50;

/** The number of different fingerprints over the executions, at even intervals and at the end. */
export function saturation(all: readonly ScenarioFingerprints[]): readonly Saturation[] {
  const executions = all.reduce((sum, { fingerprints }) => sum + fingerprints.length, 0);
  const every = Math.max(1, Math.ceil(executions / POINTS));
  const distinct = new Set<string>();
  const points: Saturation[] = [];
  let count = 0;
  for (const { fingerprints } of all) {
    for (const fingerprint of fingerprints) {
      distinct.add(fingerprint);
      count++;
      if (count % every === 0 || count === executions) {
        points.push({ executions: count, fingerprints: distinct.size });
      }
    }
  }
  return points;
}
