import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import schema from "./counterexample.schema.json" with { type: "json" };

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
