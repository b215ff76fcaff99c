import type { Counterexample } from "../core/counterexample.ts";
import type { Task } from "../core/schedule.ts";
import type { ExportedStep } from "./exported-steps.ts";

/** All that somebody without Heddle needs to see a violation. */
export interface Reproduction {
  readonly of: Pick<Counterexample, "service" | "mutant" | "violations" | "control">;
  /** Makes the initial state, in an empty database; each a statement, or several. */
  readonly setup: readonly string[];
  readonly steps: readonly ExportedStep[];
  /** What shows the violation afterwards. */
  readonly check: readonly string[];
}

/** The tasks that do something, by client. */
export function tasksOf({ steps }: Pick<Reproduction, "steps">): Task[] {
  const tasks = [...new Set(steps.map(({ task }) => task))];
  return tasks.sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
}

/**
 * What a session has to be told first: the isolation of transactions that do not say theirs; and,
 * where there is a deadlock, to look for it at once if it was the victim, else never.
 */
export function sessionSettings({ of, steps }: Reproduction, task: Task): string[] {
  const settings: string[] = [];
  const { isolation } = of.control;
  if (isolation !== "read committed") {
    settings.push(`set default_transaction_isolation = '${isolation}'`);
  }
  const victims = steps.filter(({ result }) => result?.error?.sqlstate === "40P01");
  if (victims.length > 0) {
    const victim = victims.some((step) => step.task === task);
    settings.push(`set deadlock_timeout = '${victim ? "10ms" : "100s"}'`);
  }
  return settings;
}

/** What broke, in a sentence for each. */
export function whatBroke({ of }: Reproduction): string[] {
  return of.violations.map(({ checker, name, message }) => `${name} (${checker}): ${message}`);
}

/** What is to be seen of a step: `waits for client 0`, `INSERT 0 1`, `ERROR: …`. */
export function seen({ waitsFor, result }: ExportedStep, name: (task: Task) => string): string {
  const waits = waitsFor.length === 0 ? [] : [`waits for ${waitsFor.map(name).join(" and ")}`];
  const error = result?.error;
  const failed = error === undefined ? [] : [`ERROR ${error.sqlstate}: ${error.message}`];
  const said = [...(result?.tags ?? []), ...failed].join("; ");
  return [...waits, said === "" ? "no answer" : said].join(", then ");
}
