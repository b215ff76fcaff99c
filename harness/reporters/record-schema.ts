import { Ajv2020, type Schema, type ValidateFunction } from "ajv/dist/2020.js";
import type { MutationScore } from "../mutation/mutation-score.ts";
import { LAYERS_VERSION, type LayersRecord } from "./layers-record.ts";
import { SEEDED_BUGS_VERSION, type SeededBugRecord } from "./seeded-record.ts";

const TEXT = { type: "string" } as const;
const COUNT = { type: "integer", minimum: 0 } as const;
const TEXTS = { type: "array", items: TEXT } as const;

/** An object that has at least these members. */
const has = (properties: { readonly [name: string]: Schema }) => ({
  type: "object",
  required: Object.keys(properties),
  properties,
});
const all = (items: Schema) => ({ type: "array", items });
const orNull = (schema: Schema) => ({ anyOf: [{ type: "null" }, schema] });
const oneOf = (...names: readonly string[]) => ({ enum: names });

const VERDICT = oneOf("pass", "fail", "unknown");
const FOUND = all(has({ checker: TEXT, executions: COUNT, elapsedMs: { type: "number" } }));

const PROVENANCE = {
  startedAt: TEXT,
  environment: has({
    ...{ heddle: TEXT, node: TEXT, platform: TEXT, cpus: COUNT },
    postgres: has({ provider: TEXT, version: TEXT }),
  }),
  hashes: { type: "object", additionalProperties: TEXT },
};

const SEEDED_BUGS = has({
  version: { const: SEEDED_BUGS_VERSION },
  service: TEXT,
  seed: COUNT,
  budget: has({ runs: COUNT }),
  allCheckers: { type: "boolean" },
  verdict: VERDICT,
  elapsedMs: { type: "number" },
  results: all(
    has({
      ...{ name: TEXT, story: TEXT, checker: orNull(TEXT), equivalent: orNull(TEXT) },
      outcome: oneOf("caught", "survived", "untold", "false alarm", "unknown"),
      ...{ gates: TEXTS, faults: TEXTS, checkers: FOUND, executions: COUNT },
      counterexample: orNull(
        has({
          ...{ file: TEXT, replay: TEXT },
          ...{ operations: COUNT, clients: COUNT, preemptions: COUNT, faults: COUNT },
          violations: all(has({ checker: TEXT, name: TEXT, message: TEXT })),
        }),
      ),
      replays: orNull(has({ identical: COUNT, of: COUNT })),
      reason: orNull(TEXT),
    }),
  ),
  unmutated: all(
    has({
      ...{ gates: TEXTS, faults: TEXTS, verdict: VERDICT, executions: COUNT },
      ...{ elapsedMs: { type: "number" }, reason: orNull(TEXT) },
    }),
  ),
  untried: TEXTS,
  ...PROVENANCE,
});

const LAYERS = has({
  version: { const: LAYERS_VERSION },
  service: TEXT,
  control: has({ gates: TEXTS, isolation: TEXT }),
  preemptions: orNull(COUNT),
  promises: all(
    has({
      ...{ name: TEXT, statement: TEXT, pairs: TEXTS },
      rules: all(has({ checker: TEXT, name: TEXT })),
      protections: all(has({ name: TEXT, description: TEXT })),
      cases: all(
        has({
          ...{ without: TEXTS, outcome: oneOf("holds", "breaks", "unknown") },
          ...{ reason: orNull(TEXT), executions: COUNT },
        }),
      ),
    }),
  ),
  executions: COUNT,
  elapsedMs: { type: "number" },
  ...PROVENANCE,
});

export const SCORE_VERSION = 2;

/** `derived-mutants.json`. */
export interface ScoreRecord extends MutationScore {
  readonly version: typeof SCORE_VERSION;
}

const MUTANT = has({
  ...{ id: TEXT, object: TEXT, line: orNull(COUNT), statement: TEXT, before: TEXT, after: TEXT },
});

const SCORE = has({
  version: { const: SCORE_VERSION },
  service: TEXT,
  seed: COUNT,
  score: { type: "number" },
  results: all(
    has({
      mutant: MUTANT,
      outcome: oneOf("caught", "survived", "unknown"),
      by: orNull(has({ checker: TEXT })),
      reason: orNull(TEXT),
      verdict: orNull(oneOf("equivalent", "tested", "gap")),
    }),
  ),
  untried: COUNT,
  invalid: all(has({ mutant: MUTANT, reason: TEXT })),
  unmutated: all(has({ object: TEXT, reason: TEXT })),
  misclassified: all(has({ id: TEXT, reason: TEXT })),
  executions: COUNT,
  elapsedMs: { type: "number" },
  ...PROVENANCE,
});

/**
 * Whether a value has all that a page shows of such a record. There is mostly none, and to compile
 * what tells takes longer than an execution.
 */
export const isSeededBugRecord = valid<SeededBugRecord>(SEEDED_BUGS);
export const isLayersRecord = valid<LayersRecord>(LAYERS);
export const isScoreRecord = valid<ScoreRecord>(SCORE);

function valid<T>(schema: Schema): (value: unknown) => value is T {
  let compiled: ValidateFunction<T> | undefined;
  return (value): value is T => {
    if (value === undefined) return false;
    compiled ??= new Ajv2020({ meta: false, validateSchema: false }).compile<T>(schema);
    return compiled(value);
  };
}
