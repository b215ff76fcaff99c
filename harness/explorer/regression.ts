import { createHash } from "node:crypto";
import type { Control } from "../core/control.ts";
import type { Counterexample } from "../core/counterexample.ts";
import { HarnessError } from "../core/error.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Scenario } from "../core/scenario.ts";
import { formatSchedule, parseSchedule, type Schedule } from "../core/schedule.ts";
import type { Violation } from "../core/verdict.ts";
import { replayFault } from "./counterexample-schema.ts";
import { prettyJson } from "./pretty-json.ts";

/**
 * What once broke a rule, kept to be executed first from then on. Unlike a replay file it does not
 * hold what was seen, which changes with every change of the service: it is to be read, compared
 * and kept for long.
 */
export interface Regression<State extends Json = Json, Op extends Operation = Operation> {
  readonly service: string;
  readonly control: Control;
  /** The rule, and what it said then. */
  readonly violation: Pick<Violation, "checker" | "name" | "message">;
  readonly scenario: Scenario<State, Op>;
  readonly schedule: Schedule;
}

export function regressionOf<State extends Json, Op extends Operation>({
  service: model,
  control,
  violations: [violation],
  scenario,
  schedule,
}: Pick<
  Counterexample<State, Op>,
  "service" | "control" | "violations" | "scenario" | "schedule"
>): Regression<State, Op> {
  if (violation === undefined) throw new Error("what breaks no rule is no regression");
  const { checker, name, message } = violation;
  return { service: model, control, violation: { checker, name, message }, scenario, schedule };
}

export function encodeRegression({ schedule, ...rest }: Regression): string {
  const form = { heddle: "regression", version: 1, ...rest, schedule: formatSchedule(schedule) };
  return `${prettyJson(form)}\n`;
}

/** `slot_with_several_bookings-1a2b3c4d.json`: equal for equal regressions. */
export function regressionName(regression: Regression): string {
  const hash = createHash("sha256").update(encodeRegression(regression)).digest("hex");
  const rule = regression.violation.name.toLowerCase().replace(/[^a-z0-9_]+/g, "-");
  return `${rule.slice(0, 60)}-${hash.slice(0, 8)}.json`;
}

/**
 * The inverse of `encodeRegression`.
 *
 * @throws HarnessError `USAGE` for a text that is none, or one of another version
 */
export function decodeRegression(text: string, file: string): Regression {
  const fault = (what: string) =>
    new HarnessError(
      "USAGE",
      `${file} is no regression that can be read (${what}): restore it, or take it out of the folder`,
    );
  let form: Form;
  try {
    form = JSON.parse(text) as Form;
  } catch {
    throw fault("it is not JSON");
  }
  if (form?.heddle !== "regression") throw fault("it does not say that it is one");
  if (form.version !== 1) throw fault("it has another version of the format");
  const { service: model, control, violation, scenario, schedule: written } = form;
  const schedule = typeof written === "string" ? parseSchedule(written) : undefined;
  if (schedule === undefined) throw fault("it has no schedule");
  if (typeof model !== "string") throw fault("it names no model");
  const named = [violation?.checker, violation?.name, violation?.message];
  if (named.some((part) => typeof part !== "string")) throw fault("it names no violation");
  const wrong = replayFault(control, "/$defs/control") ?? replayFault(scenario, "/$defs/scenario");
  if (wrong !== undefined) throw fault(wrong);
  return { service: model, control, violation, scenario, schedule };
}

type Form = Omit<Regression, "schedule"> & {
  readonly heddle: unknown;
  readonly version: unknown;
  readonly schedule: unknown;
};
