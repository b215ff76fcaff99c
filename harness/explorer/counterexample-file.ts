import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import type { Counterexample } from "../core/counterexample.ts";
import { HarnessError } from "../core/error.ts";
import { prettyJson } from "../core/json.ts";
import schema from "./counterexample.schema.json" with { type: "json" };

/** The text of a replay file. The format is specified by `counterexample.schema.json`. */
export function encodeCounterexample(counterexample: Counterexample): string {
  const { version, service, mutant, control, seed, execution, violations, ...rest } =
    counterexample;
  // The short members come first, so that a reader finds them; the long trace comes later.
  const ordered = {
    heddle: "counterexample",
    ...{ version, service, mutant, control, seed, execution, violations },
    ...rest,
  };
  return `${prettyJson(ordered)}\n`;
}

/**
 * The inverse of `encodeCounterexample`.
 *
 * @throws HarnessError `REPLAY_INCOMPATIBLE` for another version of the format, `USAGE` for a text
 * that is not a replay file, or a damaged one
 */
export function decodeCounterexample(text: string): Counterexample {
  const parsed = parse(text);
  if (!isReplayFile(parsed)) {
    throw new HarnessError(
      "USAGE",
      "This is not a replay file of Heddle: name one of the files in the counterexamples folder of a report.",
    );
  }
  if (parsed.version !== 3) {
    throw new HarnessError(
      "REPLAY_INCOMPATIBLE",
      `This replay file has format version ${JSON.stringify(parsed.version)}, and this Heddle reads version 3: replay it with the Heddle that wrote it, or make it anew: execute "heddle verify" or "heddle run" again with its seed.`,
    );
  }
  const fault = replayFault(parsed, "");
  if (fault !== undefined) {
    throw new HarnessError(
      "USAGE",
      `The replay file is damaged (${fault}): take a fresh copy, or find the counterexample again with its seed.`,
    );
  }
  const { heddle: _, ...counterexample } = parsed;
  return counterexample as Counterexample;
}

interface ReplayFile {
  readonly heddle: "counterexample";
  readonly version: unknown;
}

function isReplayFile(value: unknown): value is ReplayFile {
  return (
    typeof value === "object" &&
    value !== null &&
    "heddle" in value &&
    value.heddle === "counterexample" &&
    "version" in value
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new HarnessError(
      "USAGE",
      "The replay file is not JSON: it is damaged, or not a replay file. Take a fresh copy, or find the counterexample again with its seed.",
      { cause },
    );
  }
}

/** The parts of the format that are validated on their own; `""` is the whole file. */
export type ReplayPart =
  | ""
  | "/$defs/control"
  | "/$defs/scenario"
  | "/$defs/schedule"
  | "/$defs/before";

/** A test validates the schema itself, so that not every start has to. */
const CONSTANT = { meta: false, validateSchema: false };

const compiled = new Map<ReplayPart, ValidateFunction>();

/** The first error of `value` as this part of the replay format, in words; undefined if valid. */
export function replayFault(value: unknown, part: ReplayPart): string | undefined {
  let validate = compiled.get(part);
  if (validate === undefined) {
    validate = new Ajv2020({ schemas: [schema], ...CONSTANT }).compile({
      $ref: `${schema.$id}#${part}`,
    });
    compiled.set(part, validate);
  }
  if (validate(value)) return undefined;
  const error = validate.errors?.[0];
  return `${error?.instancePath || "the whole"} ${error?.message ?? "is not valid"}`;
}
