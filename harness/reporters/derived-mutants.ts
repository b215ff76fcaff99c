import type { MutantResult, MutationScore } from "../mutation/mutation-score.ts";
import { duration, percent, printable, quantity, withShortTexts } from "./format-values.ts";
import {
  COUNT,
  guardFor,
  listOf,
  NUMBER,
  object,
  oneOf,
  orNull,
  PROVENANCE,
  TEXT,
} from "./record-schema.ts";
import { type Colours, coloursFor, wrap } from "./terminal.ts";

const VERSION = 3;

/** `derived-mutants.json`. */
export interface ScoreRecord extends MutationScore {
  readonly version: typeof VERSION;
}

export function scoreRecord(score: MutationScore): ScoreRecord {
  const results = score.results.map((result) => {
    const { by, reason } = result;
    return { ...result, ...withShortTexts({ by, reason }) };
  });
  return { version: VERSION, ...score, results };
}

const MUTANT = object({
  ...{ id: TEXT, object: TEXT, line: orNull(COUNT), statement: TEXT, before: TEXT, after: TEXT },
});

export const isScoreRecord = guardFor<ScoreRecord>(
  object({
    version: { const: VERSION },
    service: TEXT,
    seed: COUNT,
    score: NUMBER,
    results: listOf(
      object({
        mutant: MUTANT,
        outcome: oneOf("caught", "survived", "unknown"),
        by: orNull(object({ checker: TEXT })),
        reason: orNull(TEXT),
        verdict: orNull(oneOf("equivalent", "tested", "gap")),
      }),
    ),
    untried: COUNT,
    invalid: listOf(object({ mutant: MUTANT, reason: TEXT })),
    unmutated: listOf(object({ object: TEXT, reason: TEXT })),
    misclassified: listOf(object({ id: TEXT, reason: TEXT })),
    executions: COUNT,
    elapsedMs: NUMBER,
    ...PROVENANCE,
  }),
);

/** The results of a score by their outcomes. */
export interface OutcomeGroups {
  readonly caught: readonly MutantResult[];
  /** Survivors that a review found to be equivalent to the schema. */
  readonly equivalent: readonly MutantResult[];
  /** Survivors that the tests of the service catch. */
  readonly tested: readonly MutantResult[];
  /** All other survivors. */
  readonly survived: readonly MutantResult[];
  readonly unknown: readonly MutantResult[];
}

export function groupByOutcome({ results }: MutationScore): OutcomeGroups {
  const withOutcome = (outcome: MutantResult["outcome"]) =>
    results.filter((result) => result.outcome === outcome);
  const survivors = (...verdicts: readonly MutantResult["verdict"][]) =>
    withOutcome("survived").filter(({ verdict }) => verdicts.includes(verdict));
  return {
    caught: withOutcome("caught"),
    equivalent: survivors("equivalent"),
    tested: survivors("tested"),
    survived: survivors("gap", null),
    unknown: withOutcome("unknown"),
  };
}

export function scoreSentence(score: MutationScore): string {
  const { caught, equivalent, tested, survived, unknown } = groupByOutcome(score);
  const counts = [
    `${caught.length} caught`,
    `${equivalent.length} equivalent`,
    ...(tested.length > 0 ? [`${tested.length} caught by tests only`] : []),
    `${survived.length} survived`,
    ...(unknown.length > 0 ? [`${unknown.length} unknown`] : []),
  ];
  return `${percent(score.score)} of ${quantity(score.results.length, "mutant")} of the schema: ${counts.join(", ")}.`;
}

/** The number of mutants that each checker was the first to catch, in descending order. */
export function countByChecker({
  caught,
}: OutcomeGroups): readonly (readonly [checker: string, count: number])[] {
  const counts = new Map<string, number>();
  for (const { by } of caught) {
    if (by !== null) counts.set(by.checker, (counts.get(by.checker) ?? 0) + 1);
  }
  return [...counts].sort(([, a], [, b]) => b - a);
}

/** The reason for a result; survivors without one still need a review. */
export function reasonOrReview({ reason }: MutantResult): string {
  return reason ?? "not reviewed yet";
}

/** The output of `heddle mutants --derived`: the score, and each mutant that was not caught. */
export function scoreText(
  score: MutationScore,
  options: { readonly colour: boolean; readonly width?: number },
): string {
  const colours = coloursFor(options.colour);
  const width = options.width ?? 100;
  const groups = groupByOutcome(score);
  const { executions, elapsedMs, seed, invalid, unmutated, misclassified, untried } = score;
  const checkers = countByChecker(groups).map(([checker, count]) => `${checker} ${count}`);
  const lines = [
    colours("bold", `derived mutants: ${printable(score.service)}`),
    ...wrap(scoreSentence(score), width),
    ...wrap(`First caught by: ${checkers.join(", ") || "no checker"}.`, width),
    `${quantity(executions, "execution")} in ${duration(elapsedMs)}, seed ${seed}.`,
    ...(untried === 0 ? [] : [`${quantity(untried, "other mutant")} not tried.`]),
    ...mutantLines("survived", groups.survived, "red", width, colours),
    ...mutantLines("unknown", groups.unknown, "yellow", width, colours),
    ...mutantLines("caught by tests only", groups.tested, "dim", width, colours),
    ...mutantLines("equivalent", groups.equivalent, "dim", width, colours),
    ...noteLines(
      "invalid",
      invalid.map(({ mutant, reason }) => `${mutant.id}: ${reason}`),
      width,
    ),
    ...noteLines(
      "not mutated",
      unmutated.map((it) => `${it.object}: ${it.reason}`),
      width,
    ),
    ...noteLines(
      "reviewed as survivors, but caught or no longer derived",
      misclassified.map(({ id, reason }) => `${id}: ${reason}`),
      width,
    ),
  ];
  return `${lines.join("\n")}\n`;
}

function mutantLines(
  title: string,
  results: readonly MutantResult[],
  style: Parameters<Colours>[0],
  width: number,
  colours: Colours,
): readonly string[] {
  if (results.length === 0) return [];
  return [
    "",
    colours(style, `${title} (${results.length})`),
    ...results.flatMap((result) => {
      const { id, line, object: changed, statement, before, after } = result.mutant;
      const place = line === null ? changed : `${changed}, line ${line}: ${statement}`;
      const change = `${before} → ${after || "(nothing)"}`;
      return [
        ...wrap(printable(id), width),
        ...[place, change, reasonOrReview(result)].flatMap((text) =>
          wrap(printable(text), width - 2).map((part) => `  ${part}`),
        ),
      ];
    }),
  ];
}

function noteLines(title: string, notes: readonly string[], width: number): readonly string[] {
  if (notes.length === 0) return [];
  const lines = notes.flatMap((note) => wrap(printable(`- ${note}`), width));
  return ["", `${title} (${notes.length})`, ...lines];
}
