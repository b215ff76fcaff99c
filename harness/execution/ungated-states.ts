import { createHash } from "node:crypto";
import { clientOf, type Entry, type Task } from "../core/schedule.ts";
import type { Trace, TraceEvent } from "../core/trace.ts";
import { CATALOG_LOOKUPS, type UngatedPart } from "../instrumentation/ungated-parts.ts";
import { OUTSIDE_WAITS } from "./outside-waits.ts";
import type { PendingStatements } from "./pending-statements.ts";
import { TIMEOUTS } from "./timeouts.ts";

/** A state in which several clients stand at their last gate before a part of statements without one. */
export interface UngatedState {
  /** The name of the part. */
  readonly part: string;
  /** The steps that lead to it. */
  readonly entries: readonly Entry[];
  /** The tasks that stand there, of different clients. */
  readonly tasks: readonly Task[];
}

/** What has no gate and cannot be sampled either: the names of moments that no step decides, and of a part. */
export const NOT_SAMPLED: readonly string[] = [TIMEOUTS, OUTSIDE_WAITS, CATALOG_LOOKUPS.name];

/** The most states that are kept. */
const MOST_STATES = 20;

/** Collects, during executions of one scenario, the distinct states from which clients can be let run freely. */
export class UngatedStates {
  readonly #states = new Map<string, UngatedState>();
  /** The names of the parts at which clients have met. */
  readonly #met = new Set<string>();
  readonly #moments = new Set<string>();

  /** Notes the state at quiescence, if it is one, and is new. */
  note(
    parts: readonly UngatedPart[],
    statements: Pick<PendingStatements, "all">,
    entries: readonly Entry[],
    trace: Trace,
  ): void {
    for (const part of parts) {
      const tasks = statements.all().flatMap(({ task, state, statement: { sql } }) => {
        if (state.at !== "held" && state.at !== "gate") return [];
        const place = state.at === "gate" ? state.gate.place : undefined;
        return part.follows(place, sql) ? task : [];
      });
      if (new Set(tasks.map(clientOf)).size < 2) continue;
      this.#met.add(part.name);
      if (NOT_SAMPLED.includes(part.name) || this.#states.size >= MOST_STATES) continue;
      const key = keyOf(part, tasks, trace);
      if (!this.#states.has(key)) {
        this.#states.set(key, { part: part.name, entries: [...entries], tasks });
      }
    }
  }

  /** Notes that something happened at a moment that no step decides, by its name in reports. */
  noteMoment(name: string): void {
    this.#moments.add(name);
  }

  /** The names of those parts that the schema has, or at which clients have met, and of the moments. */
  namesOf(parts: readonly UngatedPart[]): readonly string[] {
    const named = parts.filter(({ name, ofSchema }) => ofSchema || this.#met.has(name));
    return [...named.map(({ name }) => name), ...this.#moments];
  }

  /** The states so far, of which it keeps none. */
  take(): readonly UngatedState[] {
    const states = [...this.#states.values()];
    this.#states.clear();
    return states;
  }
}

/** Equal for two states in which each client has seen the same. */
function keyOf({ name }: UngatedPart, tasks: readonly Task[], trace: Trace): string {
  const seen = new Map<number, TraceEvent[]>();
  for (const event of trace) {
    if (event.type === "move") continue;
    const client = "task" in event ? clientOf(event.task) : event.client;
    seen.set(client, [...(seen.get(client) ?? []), event]);
  }
  const inOrder = [...seen].sort(([a], [b]) => a - b);
  const digest = createHash("sha256").update(JSON.stringify(inOrder)).digest("base64");
  return JSON.stringify([name, tasks, digest]);
}
