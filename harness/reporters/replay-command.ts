import { createHash } from "node:crypto";
import path from "node:path";
import type { Counterexample } from "../core/counterexample.ts";
import { HarnessError } from "../core/error.ts";
import { operationCount } from "../core/scenario.ts";
import type { Violation } from "../core/verdict.ts";
import { encodeCounterexample } from "../explorer/counterexample-file.ts";
import { quantity } from "./format-values.ts";

/** The violation that shrinking preserved: the first of the counterexample. */
export function mainViolation(counterexample: Counterexample): Violation {
  const violation = counterexample.violations[0];
  if (violation === undefined) {
    throw new HarnessError(
      "USAGE",
      "A counterexample has a violation, and this one has none: report that as a bug.",
    );
  }
  return violation;
}

/** `2 operations, 1 preemption`. */
export function counterexampleSize({ scenario, preemptions }: Counterexample): string {
  return `${quantity(operationCount(scenario), "operation")}, ${quantity(preemptions, "preemption")}`;
}

/** `7 operations and 6 preemptions`: the size before shrinking; undefined if it is the same. */
export function sizeBeforeShrinking(counterexample: Counterexample): string | undefined {
  const { scenario, shrunk } = counterexample;
  const { operations, preemptions } = shrunk;
  if (operations === operationCount(scenario) && preemptions === counterexample.preemptions) {
    return undefined;
  }
  return `${quantity(operations, "operation")} and ${quantity(preemptions, "preemption")}`;
}

/**
 * The path of a replay file inside the report's folder:
 * `counterexamples/<service>-<mutant, or service>-<violation>-<hash of the content>.json`.
 */
export function replayFileName(counterexample: Counterexample): string {
  const hash = createHash("sha256").update(encodeCounterexample(counterexample)).digest("hex");
  const { service, mutant } = counterexample;
  const words = [service, mutant ?? "service", mainViolation(counterexample).name].map(slug);
  return `counterexamples/${[...words, hash.slice(0, 8)].join("-")}.json`;
}

/** The path of a replay file whose report is written to `folder`. */
export function replayFilePath(folder: string, counterexample: Counterexample): string {
  return path.join(folder, replayFileName(counterexample));
}

/** The command line that replays a file or a token, with the options that the counterexample needs. */
export function replayCommand(source: string, options: readonly string[] = []): string {
  return ["npx heddle replay", ...[source, ...options].map(shellWord)].join(" ");
}

/** The command line that replays a counterexample whose report is written to `folder`. */
export function replayCommandIn(folder: string, counterexample: Counterexample): string {
  return replayCommand(replayFilePath(folder, counterexample), counterexample.replayWith);
}

function slug(text: string): string {
  const plain = text.toLowerCase().replace(/[^a-z0-9_]+/g, "-");
  return plain.slice(0, 60).replace(/^-+|-+$/g, "") || "unnamed";
}

function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
