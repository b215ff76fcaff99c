import { createHash } from "node:crypto";
import path from "node:path";
import type { Counterexample } from "../core/counterexample.ts";
import { HarnessError } from "../core/error.ts";
import type { Violation } from "../core/verdict.ts";
import { encodeCounterexample } from "../explorer/counterexample-file.ts";

/** The violation that a counterexample was shrunk for: its first. */
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

/**
 * Where a counterexample's replay file lies inside the report's folder:
 * `counterexamples/<service>-<mutant, or service>-<violation>-<short hash of the content>.json`.
 */
export function replayFileName(counterexample: Counterexample): string {
  const hash = createHash("sha256").update(encodeCounterexample(counterexample)).digest("hex");
  const { service, mutant } = counterexample;
  const words = [service, mutant ?? "service", mainViolation(counterexample).name].map(slug);
  return `counterexamples/${[...words, hash.slice(0, 8)].join("-")}.json`;
}

/** The path of the replay file of a counterexample whose report is written to `folder`. */
export function replayFilePath(folder: string, counterexample: Counterexample): string {
  return path.join(folder, replayFileName(counterexample));
}

/** The one operation that replays what lies in a file, or in a token. */
export function replayCommand(source: string): string {
  return `npx heddle replay ${shellWord(source)}`;
}

function slug(text: string): string {
  const plain = text.toLowerCase().replace(/[^a-z0-9_]+/g, "-");
  return plain.slice(0, 60).replace(/^-+|-+$/g, "") || "unnamed";
}

function shellWord(text: string): string {
  return /^[\w@%+=:,./][\w@%+=:,./-]*$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
