import { createHash } from "node:crypto";
import { readdir, readFile, rm } from "node:fs/promises";
import path from "node:path";
import type { Control } from "../core/control.ts";
import type { Counterexample, EarlierExecution } from "../core/counterexample.ts";
import { HarnessError } from "../core/error.ts";
import type { Fault } from "../core/fault.ts";
import { type Json, prettyJson } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Scenario } from "../core/scenario.ts";
import {
  faultsIn,
  formatSchedule,
  hasFreeSteps,
  parseSchedule,
  type Schedule,
} from "../core/schedule.ts";
import type { Violation } from "../core/verdict.ts";
import { placeholders } from "../core/volatile-values.ts";
import type { Executor } from "../execution/executor.ts";
import type { Service } from "../service/service.ts";
import type { Acceptance } from "./accepted.ts";
import { atomicWrite } from "./atomic-write.ts";
import type { RegressionOutcome } from "./campaign.ts";
import { replayFault } from "./counterexample-file.ts";
import { type Replayed, replay } from "./replay.ts";

/**
 * A scenario and a schedule that once broke a rule; later campaigns execute it first. Unlike a replay
 * file it has no trace, which would change with every change of the service: it is meant to be read,
 * compared and kept in version control.
 */
export interface Regression<State extends Json = Json, Op extends Operation = Operation> {
  readonly service: string;
  readonly control: Control;
  /** The rule, and its message at that time. */
  readonly violation: Pick<Violation, "checker" | "name" | "message">;
  readonly scenario: Scenario<State, Op>;
  readonly schedule: Schedule;
  /** The executions that come first, on a freshly started system. Default: none. */
  readonly before?: readonly EarlierExecution<State, Op>[];
  /** That it is known, and fails no run for some time. Default: it is not accepted. */
  readonly accepted?: Acceptance;
}

/** What is kept of a counterexample, which has a violation. */
export function regressionOf<State extends Json, Op extends Operation>({
  service,
  control,
  violations: [violation],
  scenario,
  schedule,
  before,
  volatile = [],
}: Pick<
  Counterexample<State, Op>,
  "service" | "control" | "violations" | "scenario" | "schedule" | "before" | "volatile"
>): Regression<State, Op> {
  if (violation === undefined)
    throw new Error("a counterexample without a violation is no regression");
  const { checker, name } = violation;
  // The same violation has the same text, and so the same file, in each execution.
  const message = placeholders(violation.message, volatile);
  return {
    ...{ service, control, violation: { checker, name, message }, scenario, schedule },
    ...(before && { before }),
  };
}

/** The text of a regression file: JSON with schedules as text. */
export function encodeRegression({ schedule, before, ...rest }: Regression): string {
  const form = {
    ...{ heddle: "regression", version: VERSION, ...rest, schedule: formatSchedule(schedule) },
    ...(before && {
      before: before.map((earlier) => ({ ...earlier, schedule: formatSchedule(earlier.schedule) })),
    }),
  };
  return `${prettyJson(form)}\n`;
}

/** The version of the format. */
const VERSION = 2;

/** `slot_with_several_bookings-1a2b3c4d.json`: equal for equal regressions. */
function regressionName({ accepted: _, ...regression }: Regression): string {
  const hash = createHash("sha256").update(encodeRegression(regression)).digest("hex");
  const rule = regression.violation.name.toLowerCase().replace(/[^a-z0-9_]+/g, "-");
  return `${rule.slice(0, 60)}-${hash.slice(0, 8)}.json`;
}

/**
 * The inverse of `encodeRegression`.
 *
 * @param file is named in errors
 * @throws HarnessError `USAGE` for a text that is no regression, `REPLAY_INCOMPATIBLE` for one of another version
 */
export function decodeRegression(text: string, file: string): Regression {
  const fault = (what: string) =>
    new HarnessError(
      "USAGE",
      `${file} is not a readable regression (${what}): restore it, or remove it from the folder`,
    );
  let form: Form;
  try {
    form = JSON.parse(text) as Form;
  } catch {
    throw fault("it is not JSON");
  }
  if (form?.heddle !== "regression") throw fault("it is not marked as one");
  if (form.version !== VERSION) {
    throw new HarnessError(
      "REPLAY_INCOMPATIBLE",
      `${file} is a regression of format version ${JSON.stringify(form.version)}, and this Heddle reads version ${VERSION}: remove it, and make it anew: execute "heddle verify" or "heddle run" again`,
    );
  }
  const { service, control, violation, scenario, accepted } = form;
  const schedule = scheduleIn(form.schedule);
  if (schedule === undefined) throw fault("it has no schedule");
  const before = form.before === undefined ? undefined : earlierIn(form.before);
  if (typeof service !== "string") throw fault("it names no service");
  const named = [violation?.checker, violation?.name, violation?.message];
  if (named.some((part) => typeof part !== "string")) throw fault("it names no violation");
  if (accepted !== undefined && !isAcceptance(accepted)) throw fault("its acceptance has no date");
  const wrong =
    replayFault(control, "/$defs/control") ??
    replayFault(scenario, "/$defs/scenario") ??
    (before && replayFault(before, "/$defs/before"));
  if (wrong !== undefined) throw fault(wrong);
  return {
    ...{ service, control, violation, scenario, schedule },
    ...(before && { before: before as readonly EarlierExecution[] }),
    ...(accepted && { accepted }),
  };
}

function isAcceptance({ until, because }: Partial<Acceptance>): boolean {
  return /^\d{4}-\d\d-\d\d$/.test(String(until)) && typeof because === "string";
}

type Form = Omit<Regression, "schedule" | "before"> & {
  readonly heddle: unknown;
  readonly version: unknown;
  readonly schedule: unknown;
  readonly before?: unknown;
};

function scheduleIn(written: unknown): Schedule | undefined {
  return typeof written === "string" ? parseSchedule(written) : undefined;
}

/** Earlier executions with their schedules as values; the caller validates the result. */
function earlierIn(written: unknown): readonly unknown[] {
  if (!Array.isArray(written)) return [];
  return written.map((earlier: unknown) =>
    earlier instanceof Object && "schedule" in earlier
      ? { ...earlier, schedule: scheduleIn(earlier.schedule) }
      : earlier,
  );
}

/** A regression and its file. */
export interface RegressionFile {
  readonly file: string;
  readonly regression: Regression;
}

/** A folder of regressions, with one file for each. */
export class RegressionFolder {
  readonly path: string;

  constructor(folder: string) {
    this.path = folder;
  }

  /**
   * The folder of a service: beside the service's file if that is part of the project in `directory`;
   * for an installed service, `regressions/NAME` in the project.
   */
  static of(serviceFile: string, service: string, directory = process.cwd()): RegressionFolder {
    const relative = path.relative(directory, serviceFile);
    const parts = relative.split(path.sep);
    const inProject =
      parts[0] !== ".." && !path.isAbsolute(relative) && !parts.includes("node_modules");
    return new RegressionFolder(
      inProject
        ? path.join(path.dirname(serviceFile), "regressions")
        : path.join(directory, "regressions", service),
    );
  }

  /**
   * The regressions of one service, by file name. The folder may hold those of other services too.
   *
   * @throws HarnessError `USAGE` if one of the files cannot be read
   */
  async read(service: string): Promise<readonly RegressionFile[]> {
    const names = await readdir(this.path).catch(() => []);
    const files = names.filter((name) => name.endsWith(".json")).sort();
    const all = await Promise.all(
      files.map(async (name) => {
        const file = path.join(this.path, name);
        return { file, regression: decodeRegression(await readFile(file, "utf8"), file) };
      }),
    );
    return all.filter(({ regression }) => regression.service === service);
  }

  /** Writes the regression of a counterexample, and returns its file. */
  async write(
    counterexample: Parameters<typeof regressionOf>[0] & Partial<Counterexample>,
  ): Promise<string> {
    const regression = regressionOf(counterexample);
    const file = path.join(this.path, regressionName(regression));
    await atomicWrite(file, encodeRegression(regression), "all");
    return file;
  }

  /** Writes a regression into its file, with another acceptance. */
  async accept({ file, regression }: RegressionFile, accepted: Acceptance): Promise<void> {
    await atomicWrite(file, encodeRegression({ ...regression, accepted }), "all");
  }

  async remove(file: string): Promise<void> {
    await rm(file, { force: true });
  }
}

export interface ReplayedRegression<State extends Json = Json, Op extends Operation = Operation>
  extends RegressionFile {
  readonly outcome: RegressionOutcome;
  /** The new execution. */
  readonly replayed: Replayed<State, Op>;
}

/** The most executions of a regression whose steps run at the same time: it recurs in some of them. */
const FREE_REPLAYS = 20;

/**
 * Executes each regression once, under the control that it was found with, on a freshly started system;
 * nothing remembers it afterwards. The states and operations in the files have to be those of the service.
 *
 * @param open opens an executor for a control, and for the faults of all regressions that have it
 */
export async function replayRegressions<State extends Json, Op extends Operation>(
  files: readonly RegressionFile[],
  service: Service<State, Op>,
  open: (control: Control, faults: readonly Fault[]) => Promise<Executor<State, Op>>,
): Promise<readonly ReplayedRegression<State, Op>[]> {
  const controls = new Map(
    files.map(({ regression: { control } }) => [JSON.stringify(control), control]),
  );
  const outcomes: ReplayedRegression<State, Op>[] = [];
  for (const [key, control] of controls) {
    const sameControl = files.filter(
      ({ regression }) => JSON.stringify(regression.control) === key,
    );
    const faults = sameControl.flatMap(({ regression }) => faultsIn(regression.schedule));
    const executor = await open(control, faults);
    try {
      for (const [at, file] of sameControl.entries()) {
        // Each was confirmed on a freshly started system.
        if (at > 0) await executor.renew();
        const { scenario, schedule, before } = file.regression as Regression<State, Op>;
        const recorded = { scenario, schedule, ...(before && { before }) };
        let replayed = await replay(executor, service, recorded);
        let outcome = outcomeOfReplay(file.regression, replayed);
        for (let left = FREE_REPLAYS - 1; left > 0 && hasFreeSteps(schedule); left--) {
          if (outcome === "fails") break;
          replayed = await replay(executor, service, recorded);
          outcome = outcomeOfReplay(file.regression, replayed);
        }
        outcomes.push({ ...file, outcome, replayed });
      }
    } finally {
      await executor.close();
      await service.refresh?.();
    }
  }
  return outcomes.toSorted((a, b) => (a.file < b.file ? -1 : 1));
}

/** A violated rule counts even if the execution diverged from the recorded one. */
function outcomeOfReplay(
  { violation }: Regression,
  { violations, diverged }: Replayed,
): RegressionOutcome {
  const { checker, name } = violation;
  if (violations.some((other) => other.checker === checker && other.name === name)) return "fails";
  return diverged === undefined ? "fixed" : "stale";
}
