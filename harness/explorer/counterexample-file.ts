import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import type { Counterexample } from "../core/counterexample.ts";
import { HarnessError } from "../core/error.ts";
import { prettyJson } from "../core/json.ts";
import schema from "./counterexample.schema.json" with { type: "json" };

/** The text of a replay file; its format is `counterexample.schema.json`. */
export function encodeCounterexample(counterexample: Counterexample): string {
  const { version, service, mutant, control, seed, execution, violations, ...rest } =
    counterexample;
  // What a person looks for comes first, the long trace later.
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
 * that is no replay file, or a damaged one.
 */
export function decodeCounterexample(text: string): Counterexample {
  const parsed = parse(text);
  if (!isReplayFile(parsed)) {
    throw new HarnessError(
      "USAGE",
      "This is no replay file of Heddle's: name one of the files in the counterexamples folder of a report.",
    );
  }
  if (parsed.version !== 1) {
    throw new HarnessError(
      "REPLAY_INCOMPATIBLE",
      `This replay file has format version ${JSON.stringify(parsed.version)}, and this Heddle reads version 1: replay it with the Heddle that wrote it, or find it again with its seed.`,
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

/** The parts of the replay format that are read on their own. */
export type ReplayPart = "" | "/$defs/control" | "/$defs/scenario" | "/$defs/schedule";

/** That the schema is one is for a test to say, and not for each start. */
const CONSTANT = { meta: false, validateSchema: false };

const compiled = new Map<ReplayPart, ValidateFunction>();

/** Says what is wrong with `value` as this part of the replay format; undefined if nothing is. */
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
