import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { GATE_NAMES, type GateName } from "../../harness/core/control.ts";
import { HarnessError } from "../../harness/core/error.ts";
import type { Packages } from "./packages.ts";

/** What `expected.json` beside the scenario says. */
export interface KnownBug {
  /** The name of its folder in `examples/known`. */
  readonly name: string;
  /** One sentence: what goes wrong. */
  readonly title: string;
  /** The URL of the public report; null for what Heddle found first. */
  readonly report: string | null;
  /** The name of the bug that has the scenario. Default: this one. */
  readonly scenario?: string;
  /** The package whose versions are compared. */
  readonly package: string;
  /** Installed with each version, such as a driver. */
  readonly with: Packages;
  /** A command in the folder with the packages and the scenario, before it is loaded. Default: none. */
  readonly prepare?: readonly string[];
  /** The version with the bug. */
  readonly before: string;
  /** The version that should not have it; null if there is none. */
  readonly after: Side | null;
  /** What the search of the version with the bug must find. */
  readonly finds: {
    /** The fewest kinds of gates that suffice. */
    readonly gates: readonly GateName[];
    /** The number of the execution that violates a rule, at most, with all gates. */
    readonly executions: number;
    /** The preemptions of the smallest counterexample. */
    readonly preemptions: number;
  };
}

interface Side {
  readonly version: string;
  /** `fail` for a fix that is not sufficient. */
  readonly verdict: "pass" | "fail";
  readonly with?: Packages;
}

/** The folder with a folder for each bug. */
export const EXAMPLES = fileURLToPath(new URL("../../examples/known/", import.meta.url));

/**
 * Reads the known bugs of these names.
 * @param names an empty list stands for all.
 * @throws HarnessError USAGE for a name that is none, and for a file that says too little.
 */
export async function readKnownBugs(names: readonly string[]): Promise<readonly KnownBug[]> {
  const all = await allNames();
  const unknown = names.find((name) => !all.includes(name));
  if (unknown !== undefined)
    throw new HarnessError("USAGE", `${unknown} is no known bug: ${all.join(", ")}`);
  return Promise.all(
    all
      .filter((name) => names.length === 0 || names.includes(name))
      .map(async (name) =>
        knownBugOf(name, JSON.parse(await readFile(join(EXAMPLES, name, "expected.json"), "utf8"))),
      ),
  );
}

/** @throws HarnessError USAGE with what is wrong. */
export function knownBugOf(name: string, value: Omit<KnownBug, "name">): KnownBug {
  const { title, report, package: subject, with: packages, before, after, finds } = value;
  const problem =
    (typeof title !== "string" && "`title` is missing") ||
    (report !== null && !/^https:\/\//.test(report ?? "") && "`report` is no URL") ||
    (![subject, before].every((it) => typeof it === "string") &&
      "`package` or `before` is missing") ||
    (!(packages instanceof Object) && "`with` is missing") ||
    (after !== null &&
      !["pass", "fail"].includes(after?.verdict) &&
      "`after.verdict` is missing") ||
    (!finds?.gates?.every((gate) => GATE_NAMES.includes(gate)) &&
      "`finds.gates` is no list of gates") ||
    (![finds.executions, finds.preemptions].every(Number.isInteger) &&
      "`finds.executions` or `finds.preemptions` is no number");
  if (problem !== false)
    throw new HarnessError("USAGE", `examples/known/${name}/expected.json: ${problem}`);
  return { name, ...value };
}

/** The names of all known bugs. */
export async function allNames(): Promise<readonly string[]> {
  const entries = await readdir(EXAMPLES, { withFileTypes: true });
  return entries.flatMap((entry) => (entry.isDirectory() ? entry.name : [])).sort();
}
