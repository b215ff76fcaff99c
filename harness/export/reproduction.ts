import type { Counterexample } from "../core/counterexample.ts";
import type { Lane } from "../core/schedule.ts";
import type { ExportedStep } from "./steps.ts";

/** All that somebody without Heddle needs to see a violation. */
export interface Reproduction {
  readonly of: Pick<Counterexample, "model" | "mutant" | "violations" | "control">;
  /** Makes the initial state, in an empty database; each a statement, or several. */
  readonly setup: readonly string[];
  readonly steps: readonly ExportedStep[];
  /** What shows the violation afterwards. */
  readonly check: readonly string[];
}

/** The lanes that do something, by client. */
export function lanesOf({ steps }: Pick<Reproduction, "steps">): Lane[] {
  const lanes = [...new Set(steps.map(({ lane }) => lane))];
  return lanes.sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
}

/**
 * What a session has to be told first: the isolation of transactions that do not say theirs; and,
 * where there is a deadlock, to look for it at once if it was the victim, else never.
 */
export function sessionSettings({ of, steps }: Reproduction, lane: Lane): string[] {
  const settings: string[] = [];
  const { isolation } = of.control;
  if (isolation !== "read committed") {
    settings.push(`set default_transaction_isolation = '${isolation}'`);
  }
  const victims = steps.filter(({ result }) => result?.error?.sqlstate === "40P01");
  if (victims.length > 0) {
    const victim = victims.some((step) => step.lane === lane);
    settings.push(`set deadlock_timeout = '${victim ? "10ms" : "100s"}'`);
  }
  return settings;
}

/** What broke, in a sentence for each. */
export function whatBroke({ of }: Reproduction): string[] {
  return of.violations.map(({ judge, name, message }) => `${name} (${judge}): ${message}`);
}

/** What is to be seen of a step: `waits for client 0`, `INSERT 0 1`, `ERROR: …`. */
export function seen({ waitsFor, result }: ExportedStep, name: (lane: Lane) => string): string {
  const waits = waitsFor.length === 0 ? [] : [`waits for ${waitsFor.map(name).join(" and ")}`];
  const error = result?.error;
  const failed = error === undefined ? [] : [`ERROR ${error.sqlstate}: ${error.message}`];
  const said = [...(result?.tags ?? []), ...failed].join("; ");
  return [...waits, said === "" ? "no answer" : said].join(", then ");
}
