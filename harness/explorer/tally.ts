import { createHash } from "node:crypto";
import type { Campaign } from "../core/campaign.ts";
import type { Command } from "../core/command.ts";
import { type Execution, historyOf } from "../core/execution.ts";
import { operations } from "../core/history.ts";
import type { Json } from "../core/json.ts";
import type { Scenario } from "../core/scenario.ts";
import type { Violation } from "../core/verdict.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";
import { Coverage } from "./coverage.ts";
import { rulesOf } from "./judge.ts";
import type { Subject } from "./subject.ts";

/** What is counted over a campaign. */
export class Tally<State extends Json, C extends Command> {
  scenarios = 0;
  executions = 0;
  violations = 0;
  #steps = 0;
  #preemptions = 0;
  #waits = 0;
  #deadlocks = 0;
  readonly #byClients: Record<string, number> = {};
  readonly #responses: Record<string, Record<string, number>> = {};
  readonly #patterns: number[];
  readonly #violated = new Map<string, number>();
  readonly #coverage = new Coverage();
  readonly #digest = createHash("sha256");
  readonly #subject: Subject<State, C>;

  constructor(subject: Subject<State, C>) {
    this.#subject = subject;
    this.#patterns = subject.patterns.map(() => 0);
  }

  scenario(scenario: Scenario<State, C>): void {
    this.scenarios++;
    this.#subject.patterns.forEach((pattern, index) => {
      if (pattern.matches(scenario)) this.#patterns[index] = (this.#patterns[index] ?? 0) + 1;
    });
  }

  execution(execution: Execution<State, C>, violations: readonly Violation[]): void {
    this.executions++;
    if (violations.length > 0) this.violations++;
    const { scenario, trace, schedule } = execution;
    count(this.#byClients, String(scenario.clients.length));
    for (const event of trace) {
      if (event.type === "move") {
        this.#steps++;
        if (event.preemption) this.#preemptions++;
      } else if (event.type === "wait") this.#waits++;
      else if (event.type === "result" && event.result.error?.sqlstate === "40P01") {
        this.#deadlocks++;
      }
    }
    for (const { command, response } of operations(historyOf(trace))) {
      const codes = this.#responses[command.name] ?? {};
      this.#responses[command.name] = codes;
      count(codes, response?.code ?? "(no answer)");
    }
    for (const rule of new Set(violations.map(keyOf))) {
      this.#violated.set(rule, (this.#violated.get(rule) ?? 0) + 1);
    }
    this.#digest.update(JSON.stringify([scenario, schedule.lanes, trace, violations]));
  }

  /** A scheduler is done with its scenario. */
  explored(scheduler: Scheduler, clients: number): void {
    this.#coverage.explored(scheduler, clients);
  }

  summary(): Pick<
    Campaign,
    | "scenarios"
    | "executions"
    | "violations"
    | "steps"
    | "preemptions"
    | "waits"
    | "deadlocks"
    | "executionsByClients"
    | "responses"
    | "patterns"
    | "rules"
    | "digest"
    | "coverage"
  > {
    return {
      scenarios: this.scenarios,
      executions: this.executions,
      violations: this.violations,
      steps: this.#steps,
      preemptions: this.#preemptions,
      waits: this.#waits,
      deadlocks: this.#deadlocks,
      executionsByClients: this.#byClients,
      responses: this.#responses,
      patterns: this.#subject.patterns.map(({ name, description, threshold }, index) => {
        const scenarios = this.#patterns[index] ?? 0;
        const share = this.scenarios === 0 ? 0 : scenarios / this.scenarios;
        const deviation = Math.sqrt((threshold * (1 - threshold)) / Math.max(1, this.scenarios));
        const missed = share < threshold - 3 * deviation;
        return { name, description, scenarios, share, threshold, missed };
      }),
      rules: rulesOf(this.#subject).map((rule) => ({
        ...rule,
        checked: this.executions,
        violated: this.#violated.get(keyOf(rule)) ?? 0,
      })),
      coverage: this.#coverage.sentences(),
      digest: this.#digest.copy().digest("hex"),
    };
  }
}

/** Judges name their rules without knowing of each other. */
function keyOf({ judge, name }: Pick<Violation, "judge" | "name">): string {
  return `${judge}/${name}`;
}

function count(counts: Record<string, number>, key: string): void {
  counts[key] = (counts[key] ?? 0) + 1;
}
