import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { GATE_NAMES, type GateName } from "../../harness/core/control.ts";
import { HarnessError } from "../../harness/core/error.ts";
import { installedScenario } from "./install.ts";
import type { KnownBug } from "./known-bug.ts";
import { withInstalledVersions } from "./packages.ts";
import { finished } from "./process.ts";

const HEDDLE = fileURLToPath(new URL("../../bin/heddle.js", import.meta.url));
const UNCONTROLLED = fileURLToPath(new URL("uncontrolled.ts", import.meta.url));
const REPLAYS = 20;
const RUNS = 100;
const SEED = "1";

/** What a search reports. */
export interface Search {
  readonly verdict: "pass" | "fail" | "unknown";
  /** Of which all interleavings were executed, up to equivalence: `all without a bound`, or `all with at most 1 preemption`. */
  readonly covered: string | null;
  readonly executions: number;
  readonly seconds: number;
  readonly found: Found | null;
  /** The file of the counterexample. */
  readonly file: string | null;
}

interface Found {
  readonly rule: string;
  /** The number of the execution that violated it. */
  readonly execution: number;
  readonly preemptions: number;
  /** Where the client stood that the smallest counterexample preempts: kinds of gates. */
  readonly places: readonly string[];
}

/** The measurements of one bug: a row of the table. */
export interface Measurement {
  readonly name: string;
  /** Such as `kysely 0.29.2`. */
  readonly version: string;
  /** The version that should not have the bug; null if there is none. */
  readonly fixed: string | null;
  /** The day of the measurement: `2026-01-31`. */
  readonly date: string;
  readonly before: Search;
  /** The fewest kinds of gates at which the search found it. */
  readonly gates: readonly GateName[];
  /** How many replays of the counterexample were identical, of 20. */
  readonly replays: number;
  /** How many runs without control violated a rule, of 100; null if they did not end. */
  readonly uncontrolled: number | null;
  readonly after: Search | null;
  /** How the measurements differ from `expected.json`. */
  readonly unexpected: readonly string[];
}

export interface Limits {
  /** The time of each search of a version with the bug, such as `60s`. */
  readonly before: string;
  readonly after: string;
}

/** Measures one bug: with all gates, with the fewest, replayed, without control, and after the fix. */
export async function measure(
  folder: string,
  bug: KnownBug,
  { before: timeBefore, after: timeAfter }: Limits,
): Promise<Measurement> {
  const versions = await withInstalledVersions({ ...bug.with, [bug.package]: bug.before });
  return withReports(async (reports) => {
    const file = await installedScenario(folder, bug, bug.before, bug.with);
    const before = await search(file, timeBefore, GATE_NAMES, reports);
    const replays = await identicalReplays(dirname(file), before);
    const { gates } = bug.finds;
    const fewest = await search(file, timeBefore, gates, reports);
    const uncontrolled = await violatedRuns(file);
    const after = bug.after && (await searchAfter(folder, bug, bug.after, timeAfter, reports));
    const measured = { before, replays, after };
    return {
      name: bug.name,
      version: `${bug.package} ${versions[bug.package]}`,
      gates,
      uncontrolled,
      fixed: bug.after?.version ?? null,
      date: new Date().toISOString().slice(0, 10),
      ...measured,
      unexpected: differences(bug, measured, fewest),
    };
  });
}

/** Calls `work` with a folder for reports, which is removed afterwards. */
export async function withReports<T>(work: (reports: string) => Promise<T>): Promise<T> {
  const reports = await mkdtemp(join(tmpdir(), "heddle-known-"));
  try {
    return await work(reports);
  } finally {
    await rm(reports, { recursive: true });
  }
}

/** Searches the version with the bug, at the fewest kinds of gates. */
export async function searchBefore(folder: string, bug: KnownBug, time: string): Promise<Search> {
  const file = await installedScenario(folder, bug, bug.before, bug.with);
  return withReports((reports) => search(file, time, bug.finds.gates, reports));
}

/** Searches the version that should not have the bug. */
async function searchAfter(
  folder: string,
  bug: KnownBug,
  { version, with: packages = bug.with }: NonNullable<KnownBug["after"]>,
  time: string,
  reports: string,
): Promise<Search> {
  const file = await installedScenario(folder, bug, version, packages);
  return search(file, time, GATE_NAMES, reports);
}

/** How a measurement differs from what the bug's `expected.json` says, in sentences. */
export function differences(
  bug: KnownBug,
  { before, replays, after }: Pick<Measurement, "before" | "replays" | "after">,
  fewest: Search,
): readonly string[] {
  const { found } = before;
  const { executions, preemptions, gates } = bug.finds;
  return [
    ...(found === null ? ["the bug was not found"] : []),
    ...(fewest.found === null ? [`with ${gates.join(", ")} gates the bug was not found`] : []),
    ...(found !== null && found.execution > executions
      ? [`it took ${found.execution} executions, more than ${executions}`]
      : []),
    ...(found !== null && found.preemptions !== preemptions
      ? [`the smallest counterexample has ${found.preemptions} preemptions, not ${preemptions}`]
      : []),
    ...(found !== null && replays < REPLAYS
      ? [`${replays} of ${REPLAYS} replays were identical`]
      : []),
    ...(after !== null && after.verdict !== bug.after?.verdict
      ? [`the verdict after the fix was ${after.verdict}, not ${bug.after?.verdict}`]
      : []),
  ];
}

/** Searches a scenario as `heddle run` does, from nothing. */
export async function search(
  file: string,
  time: string,
  gates: readonly GateName[],
  reports: string,
): Promise<Search> {
  const home = dirname(file);
  await rm(join(home, "regressions"), { recursive: true, force: true });
  const args = ["run", file, "--seed", SEED, "--time", time, "--gates", gates.join(), "--json"];
  const { stdout, stderr } = await heddle(home, [...args, "--report", join(reports, "report")]);
  return searchOf(stdout, stderr);
}

/** The part of `report.json` that is read here. */
interface Report {
  readonly verdict: Search["verdict"];
  readonly executions: number;
  readonly coverage: readonly string[];
  readonly timing: { readonly elapsedMs: number };
  readonly counterexamples: readonly {
    readonly file: string;
    readonly violation: { readonly name: string };
    readonly execution: number;
    readonly preemptions: number;
  }[];
}

async function searchOf(printed: string, problem: string): Promise<Search> {
  const { counterexamples, verdict, executions, coverage, timing } = parsed<Report>(
    printed,
    problem,
  );
  const [found] = counterexamples;
  return {
    verdict,
    covered: coveredBy(coverage),
    executions,
    seconds: timing.elapsedMs / 1_000,
    found: found === undefined ? null : await foundOf(found),
    file: found?.file ?? null,
  };
}

/** What a sentence such as `All 34 interleavings with at most 1 preemption of 1 scenario were executed.` says. */
export function coveredBy(coverage: readonly string[]): string | null {
  for (const line of coverage) {
    const [, bound] =
      /^All (?:[\d,]+ )?interleavings,? (with.*?),? of [\d,]+ scenario/.exec(line) ?? [];
    if (bound !== undefined) return `all ${bound}`;
  }
  return null;
}

async function foundOf({
  file,
  violation,
  execution,
  preemptions,
}: Report["counterexamples"][number]): Promise<Found> {
  const { trace } = JSON.parse(await readFile(file, "utf8"));
  return {
    ...{ rule: violation.name, execution, preemptions },
    places: placesOf(trace),
  };
}

interface TraceEvent {
  readonly type: string;
  readonly preemption?: boolean;
  readonly task?: string;
  readonly place?: { readonly next: string };
}

/** Before what each preempted client stands: a gate's `next`, or else `a statement`. */
export function placesOf(trace: readonly TraceEvent[]): readonly string[] {
  const places = trace.flatMap((event, index) => {
    if (event.type !== "move" || event.preemption !== true) return [];
    const last = trace[index - 1];
    return last?.type === "gate" && last.place !== undefined ? last.place.next : "a statement";
  });
  return [...new Set(places)];
}

/** How many of 20 replays of what was found are identical. */
export async function identicalReplays(home: string, { file }: Search): Promise<number> {
  if (file === null) return 0;
  const args = ["replay", file, "--repeat", String(REPLAYS), "--json"];
  const { stdout, stderr } = await heddle(home, args);
  return parsed<{ readonly identical: number }>(stdout, stderr).identical;
}

async function violatedRuns(file: string): Promise<number | null> {
  const args = [UNCONTROLLED, file, String(RUNS)];
  const { code, stdout } = await finished(process.execPath, args, {
    cwd: dirname(file),
    timeoutMs: 300_000,
  });
  if (code !== 0) return null;
  // The packages may print too.
  return JSON.parse(stdout.slice(stdout.lastIndexOf("\n") + 1)).violated;
}

function heddle(cwd: string, args: readonly string[]) {
  return finished(process.execPath, [HEDDLE, ...args], { cwd, timeoutMs: 900_000 });
}

function parsed<T>(printed: string, problem: string): T {
  try {
    return JSON.parse(printed);
  } catch {
    throw new HarnessError("SERVICE_FAILED", `heddle printed no report: ${problem.slice(-600)}`);
  }
}
