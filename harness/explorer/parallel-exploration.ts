import { setTimeout as delay } from "node:timers/promises";
import type { HarnessError } from "../core/error.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Explorer, ScenarioResult } from "./explore-scenario.ts";

/** What the exploration of a scenario depends on besides its number. */
export interface ScenarioBudget {
  /** The used part of the campaign's budget, from 0 to 1. */
  readonly used: number;
  /** The most executions. */
  readonly executions: number;
  /** How long executions may begin, in ms, from the first one on; Infinity: no limit of its own. */
  readonly timeMs: number;
}

/** The campaign that several explorers work for, with the results that were added so far. */
export interface OrderedCampaign<State extends Json, Op extends Operation> {
  /** The number of the scenario whose result is added next. */
  readonly next: number;
  /** The difference between the numbers of two successive scenarios of this shard. */
  readonly step: number;
  /** The number of scenarios in all shards. */
  readonly end: number;
  /** Whether no further result is added. */
  readonly ended: boolean;
  /** Whether a scenario with such a result is the last one that is added. */
  endsAfter(failed: boolean, error: HarnessError | undefined): boolean;
  /** The number of executions until the limit of runs, given the results that were added so far. */
  readonly left: number;
  /** The budget of a scenario, given the results that were added so far. */
  budgetOf(index: number): ScenarioBudget;
  /** The used part of the budget after so many executions of a scenario. */
  usedAfter(index: number, executions: number): number;
  /** Whether the scenario's present budget would lead to the same result as `budget` did. */
  isUpToDate(index: number, budget: ScenarioBudget, explored: ScenarioResult<State, Op>): boolean;
  add(explored: ScenarioResult<State, Op>): void;
  /** Adds a result with a violation that is none of those that count, since it lies beyond a limit. */
  addBeyond(index: number, explored: ScenarioResult<State, Op>): void;
  /** Whether there is anything left to explore, and time for it. */
  more(): boolean;
  /** Called after each execution, with the counts of all results that are not added yet. */
  onExecution(unadded: { readonly executions: number; readonly violations: number }): void;
}

/** Further explorers of a campaign. */
export interface OtherExplorers<State extends Json, Op extends Operation> {
  readonly explorers: readonly Explorer<State, Op>[];
  /** When they start, in ms: a short campaign ends before that. */
  readonly joinMs: number;
}

interface UnaddedCounts {
  executions: number;
  violations: number;
}

/**
 * Has several explorers work at the same time, and adds their results in the order of the scenarios'
 * numbers, so that the result of a campaign does not depend on the number of explorers. A scenario
 * that is explored ahead of that order gets the budget of the moment. If its budget turns out to be
 * another one (the strategy has reached its next phase, or the limit of runs is near), it is explored
 * once more. A violation that an explorer has found beyond the limit is reported all the same: it is the one
 * thing that depends on how fast the explorers are, since a violation must never be hidden.
 */
export async function exploreInParallel<State extends Json, Op extends Operation>(
  campaign: OrderedCampaign<State, Op>,
  first: Explorer<State, Op>,
  { explorers, joinMs }: OtherExplorers<State, Op>,
): Promise<void> {
  const done = new AbortController();
  const shared = new ScenarioQueue(campaign);
  const late = explorers.map(async (explorer) => {
    await delay(joinMs, undefined, { signal: done.signal }).catch(() => {});
    if (!done.signal.aborted) await work(shared, explorer);
  });
  const local = work(shared, first).finally(() => done.abort());
  const ended = await Promise.allSettled([local, ...late]);
  for (const end of ended) if (end.status === "rejected") throw end.reason;
  shared.addBeyond();
}

async function work<State extends Json, Op extends Operation>(
  shared: ScenarioQueue<State, Op>,
  explorer: Explorer<State, Op>,
): Promise<void> {
  for (let next = shared.take(); next !== "nothing"; next = shared.take()) {
    if (next === "wait") await shared.changed();
    else await shared.explore(next, explorer);
  }
}

class ScenarioQueue<State extends Json, Op extends Operation> {
  readonly #campaign: OrderedCampaign<State, Op>;
  /** No explorer has taken this number or a later one. */
  #untaken = 0;
  readonly #underWay = new Map<number, UnaddedCounts>();
  /** Results that are not added yet. */
  readonly #waiting = new Map<
    number,
    { budget: ScenarioBudget; explored: ScenarioResult<State, Op> }
  >();
  /** Results with a violation that were not added, since another budget would have led to other ones. */
  readonly #outdated = new Map<number, ScenarioResult<State, Op>>();
  #crashed = false;
  #onChange: (() => void)[] = [];

  constructor(campaign: OrderedCampaign<State, Op>) {
    this.#campaign = campaign;
  }

  changed(): Promise<void> {
    return new Promise((resolve) => this.#onChange.push(resolve));
  }

  take(): number | "wait" | "nothing" {
    const { next, step, end } = this.#campaign;
    if (!this.#more() || next >= end) return "nothing";
    // The scenario whose result is added next may have to be explored once more.
    if (!this.#underWay.has(next)) return this.#taken(next);
    const ahead = Math.max(this.#untaken, next + step);
    if (ahead >= end || this.#waitingEnds() || this.#underWayIsEnough()) return "wait";
    return this.#taken(ahead);
  }

  #more(): boolean {
    return !this.#crashed && this.#campaign.more();
  }

  #taken(index: number): number {
    this.#untaken = Math.max(this.#untaken, index + this.#campaign.step);
    this.#underWay.set(index, { executions: 0, violations: 0 });
    return index;
  }

  #waitingEnds(): boolean {
    return [...this.#waiting.values()].some(({ explored: { failing, error } }) =>
      this.#campaign.endsAfter(failing !== undefined, error),
    );
  }

  /** Whether the scenarios that are under way or waiting use up the limit of runs. */
  #underWayIsEnough(): boolean {
    const done = [...this.#waiting.values()].map(({ explored }) => explored.tally.executions);
    const atLeast = [...this.#underWay.values()].map(({ executions }) => Math.max(1, executions));
    const sum = [...done, ...atLeast].reduce((total, executions) => total + executions, 0);
    return sum >= this.#campaign.left;
  }

  async explore(index: number, explorer: Explorer<State, Op>): Promise<void> {
    const budget = this.#campaign.budgetOf(index);
    let executions = 0;
    try {
      const explored = await explorer.explore(index, {
        used: () => (executions === 0 ? budget.used : this.#campaign.usedAfter(index, executions)),
        executions: budget.executions,
        timeMs: budget.timeMs,
        more: () => this.#more(),
        onExecution: (violations) => {
          this.#underWay.set(index, { executions: ++executions, violations });
          this.#campaign.onExecution(this.#unadded());
        },
      });
      this.#waiting.set(index, { budget, explored });
    } catch (error) {
      this.#crashed = true;
      throw error;
    } finally {
      this.#underWay.delete(index);
      this.#addAll();
      for (const notify of this.#onChange.splice(0)) notify();
    }
  }

  #addAll(): void {
    for (;;) {
      const { next } = this.#campaign;
      const first = this.#waiting.get(next);
      if (first === undefined || this.#campaign.ended) return;
      this.#waiting.delete(next);
      if (!this.#campaign.isUpToDate(next, first.budget, first.explored)) {
        if (first.explored.failing !== undefined) this.#outdated.set(next, first.explored);
        return;
      }
      this.#campaign.add(first.explored);
    }
  }

  /** Hands over the violations that were found and not added, in the order of the scenarios. */
  addBeyond(): void {
    const waiting = [...this.#waiting].map(([index, { explored }]) => [index, explored] as const);
    for (const [index, explored] of [...this.#outdated, ...waiting].sort(([a], [b]) => a - b)) {
      if (explored.failing !== undefined) this.#campaign.addBeyond(index, explored);
    }
  }

  #unadded(): UnaddedCounts {
    const waiting = [...this.#waiting.values()].map(({ explored }) => explored.tally);
    return [...this.#underWay.values(), ...waiting].reduce((a, b) => ({
      executions: a.executions + b.executions,
      violations: a.violations + b.violations,
    }));
  }
}
