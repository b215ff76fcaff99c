import type { MutantResult, MutationScore } from "../mutation/mutation-score.ts";
import { type Colours, coloursFor } from "./colours.ts";
import { counted, duration, percent } from "./counted.ts";
import { printable } from "./printable.ts";
import { wrap } from "./wrap.ts";

/** Results in groups, by what became of them. */
export interface Groups {
  readonly caught: readonly MutantResult[];
  readonly equivalent: readonly MutantResult[];
  readonly tested: readonly MutantResult[];
  /** The others that survived. */
  readonly survived: readonly MutantResult[];
  readonly unknown: readonly MutantResult[];
}

export function groupsOf({ results }: MutationScore): Groups {
  const of = (outcome: MutantResult["outcome"]) => results.filter((it) => it.outcome === outcome);
  const said = (...verdicts: readonly MutantResult["verdict"][]) =>
    of("survived").filter(({ verdict }) => verdicts.includes(verdict));
  return {
    caught: of("caught"),
    equivalent: said("equivalent"),
    tested: said("tested"),
    survived: said("gap", null),
    unknown: of("unknown"),
  };
}

/** The score in a sentence. */
export function scoreSentence(score: MutationScore): string {
  const { caught, equivalent, tested, survived, unknown } = groupsOf(score);
  const rest = [
    `${caught.length} caught`,
    `${equivalent.length} equivalent`,
    ...(tested.length > 0 ? [`${tested.length} caught by tests alone`] : []),
    `${survived.length} survived`,
    ...(unknown.length > 0 ? [`${unknown.length} unknown`] : []),
  ];
  return `${percent(score.score)} of ${counted(score.results.length, "mutant")} of the schema: ${rest.join(", ")}.`;
}

/** How many mutants each checker was the first to catch, most first. */
export function checkersOf({
  caught,
}: Groups): readonly (readonly [checker: string, count: number])[] {
  const counts = new Map<string, number>();
  for (const { by } of caught) {
    if (by !== null) counts.set(by.checker, (counts.get(by.checker) ?? 0) + 1);
  }
  return [...counts].sort(([, a], [, b]) => b - a);
}

/** The score for a terminal, with each mutant that survives. */
export function scoreText(
  score: MutationScore,
  options: { readonly colour: boolean; readonly width?: number },
): string {
  const paint = coloursFor(options.colour);
  const width = options.width ?? 100;
  const groups = groupsOf(score);
  const { executions, elapsedMs, seed, invalid, unmutated, misclassified, untried, service } =
    score;
  const caughtBy = checkersOf(groups).map(([checker, count]) => `${checker} ${count}`);
  const lines = [
    paint("bold", `derived mutants: ${printable(service)}`),
    ...wrap(scoreSentence(score), width),
    ...wrap(`Caught first by: ${caughtBy.join(", ") || "nobody"}.`, width),
    `${counted(executions, "execution")} in ${duration(elapsedMs)}, seed ${seed}.`,
    ...(untried === 0 ? [] : [`${counted(untried, "other mutant")} not tried.`]),
    ...listed("survived", groups.survived, "red", width, paint),
    ...listed("unknown", groups.unknown, "yellow", width, paint),
    ...listed("caught by tests alone", groups.tested, "dim", width, paint),
    ...listed("equivalent", groups.equivalent, "dim", width, paint),
    ...noted("invalid", invalid, ({ mutant, reason }) => `${mutant.id}: ${reason}`, width),
    ...noted("not mutated", unmutated, ({ object, reason }) => `${object}: ${reason}`, width),
    ...noted(
      "said to survive, but caught or not there",
      misclassified,
      ({ id, reason }) => `${id}: ${reason}`,
      width,
    ),
  ];
  return `${lines.join("\n")}\n`;
}

function listed(
  title: string,
  results: readonly MutantResult[],
  style: Parameters<Colours>[0],
  width: number,
  paint: Colours,
): readonly string[] {
  if (results.length === 0) return [];
  return [
    "",
    paint(style, `${title} (${results.length})`),
    ...results.flatMap(({ mutant, reason }) => {
      const { line, object, statement, before, after } = mutant;
      const where = line === null ? object : `${object}, line ${line}: ${statement}`;
      const change = `${before} → ${after || "(nothing)"}`;
      return [
        ...wrap(printable(mutant.id), width),
        ...[where, change, reason ?? "nobody has looked at it yet"].flatMap((text) =>
          wrap(printable(text), width - 2).map((part) => `  ${part}`),
        ),
      ];
    }),
  ];
}

function noted<T>(
  title: string,
  items: readonly T[],
  words: (item: T) => string,
  width: number,
): readonly string[] {
  if (items.length === 0) return [];
  const lines = items.flatMap((item) => wrap(printable(`- ${words(item)}`), width));
  return ["", `${title} (${items.length})`, ...lines];
}
