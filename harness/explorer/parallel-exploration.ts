import { setTimeout as delay } from "node:timers/promises";
import type { HarnessError } from "../core/error.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Explorer, ScenarioResult } from "./explore-scenario.ts";

/** What a scenario's exploration depends on besides its number. */
export interface AssumedBudget {
  /** The part of the campaign's budget that is used up, from 0 to 1. */
  readonly used: number;
  /** The most executions. */
  readonly executions: number;
}

/** The campaign that several explorers work for, as it is with all that was added until now. */
export interface OrderedCampaign<State extends Json, Op extends Operation> {
  /** The number of the scenario that is to be added next. */
  readonly next: number;
  /** From one of its scenarios to the next. */
  readonly step: number;
  /** How many scenarios there are, those included that are not this campaign's. */
  readonly end: number;
  /** Whether nothing is added any more. */
  readonly ended: boolean;
  /** Whether nothing would be added after such a scenario. */
  ends(failed: boolean, error: HarnessError | undefined): boolean;
  /** What a scenario's exploration has to assume now. */
  assumed(index: number): AssumedBudget;
  /** The part of the budget that is used up in a scenario, after so many executions of it. */
  usedAfter(index: number, executions: number): number;
  /** Whether what was explored under these assumptions is what would be under the present ones. */
  holds(index: number, assumed: AssumedBudget, explored: ScenarioResult<State, Op>): boolean;
  add(explored: ScenarioResult<State, Op>): void;
  /** Whether there is anything left to do. */
  more(): boolean;
  /** How many executions were made of scenarios that are not added yet, and what they broke. */
  onExecution(ahead: { readonly executions: number; readonly violations: number }): void;
}

/** Who joins a campaign, and after how long: a short one is over before they have started. */
export interface OtherExplorers<State extends Json, Op extends Operation> {
  readonly explorers: readonly Explorer<State, Op>[];
  readonly joinMs: number;
}

interface Ahead {
  executions: number;
  violations: number;
}

/**
 * Lets several explorers work at the same time, and adds what they find in the order of the
 * scenarios' numbers: so what a campaign finds does not depend on how many there are. Whoever is
 * ahead of that order assumes that the campaign goes on as it is. Where that turns out to be wrong (a
 * strategy goes on to its next phase, the last executions are reached), the scenario is explored
 * once more.
 */
export async function exploreInParallel<State extends Json, Op extends Operation>(
  campaign: OrderedCampaign<State, Op>,
  first: Explorer<State, Op>,
  { explorers, joinMs }: OtherExplorers<State, Op>,
): Promise<void> {
  const done = new AbortController();
  const shared = new Shared(campaign);
  const late = explorers.map(async (explorer) => {
    await delay(joinMs, undefined, { signal: done.signal }).catch(() => {});
    if (!done.signal.aborted) await work(shared, explorer);
  });
  const own = work(shared, first).finally(() => done.abort());
  const ended = await Promise.allSettled([own, ...late]);
  for (const end of ended) if (end.status === "rejected") throw end.reason;
}

async function work<State extends Json, Op extends Operation>(
  shared: Shared<State, Op>,
  explorer: Explorer<State, Op>,
): Promise<void> {
  for (let next = shared.take(); next !== "nothing"; next = shared.take()) {
    if (next === "wait") await shared.changed();
    else await shared.explore(next, explorer);
  }
}

class Shared<State extends Json, Op extends Operation> {
  readonly #campaign: OrderedCampaign<State, Op>;
  /** The first number that nobody has taken. */
  #untaken = 0;
  readonly #underWay = new Map<number, Ahead>();
  /** Explored, but not added yet. */
  readonly #waiting = new Map<
    number,
    { assumed: AssumedBudget; explored: ScenarioResult<State, Op> }
  >();
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
    // What is added next may have to be explored once more.
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
      this.#campaign.ends(failing !== undefined, error),
    );
  }

  /** Whether all executions that are left are known to be taken. */
  #underWayIsEnough(): boolean {
    const known = [...this.#waiting.values()].map(({ explored }) => explored.tally.executions);
    const atLeast = [...this.#underWay.values()].map(({ executions }) => Math.max(1, executions));
    const sum = [...known, ...atLeast].reduce((total, executions) => total + executions, 0);
    return sum >= this.#campaign.assumed(this.#untaken).executions;
  }

  async explore(index: number, explorer: Explorer<State, Op>): Promise<void> {
    const assumed = this.#campaign.assumed(index);
    let executions = 0;
    try {
      const explored = await explorer.explore(index, {
        used: () => (executions === 0 ? assumed.used : this.#campaign.usedAfter(index, executions)),
        executions: assumed.executions,
        more: () => this.#more(),
        onExecution: (violations) => {
          this.#underWay.set(index, { executions: ++executions, violations });
          this.#campaign.onExecution(this.#ahead());
        },
      });
      this.#waiting.set(index, { assumed, explored });
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
      if (!this.#campaign.holds(next, first.assumed, first.explored)) return;
      this.#campaign.add(first.explored);
    }
  }

  #ahead(): Ahead {
    const waiting = [...this.#waiting.values()].map(({ explored }) => explored.tally);
    return [...this.#underWay.values(), ...waiting].reduce((a, b) => ({
      executions: a.executions + b.executions,
      violations: a.violations + b.violations,
    }));
  }
}
