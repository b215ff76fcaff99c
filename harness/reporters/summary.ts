import path from "node:path";
import type { Verdict } from "../core/verdict.ts";
import type { Campaign, PairSearch, PatternCount, RegressionResult } from "../explorer/campaign.ts";
import { duration, formatNumber, percent, printable, quantity } from "./format-values.ts";
import { type CountedRule, faultsLine, pairCells, patternOutcome } from "./outcomes.ts";
import { counterexampleSize, mainViolation, replayCommandIn } from "./replay-command.ts";
import { FILES } from "./report-files.ts";
import { type Colours, coloursFor, tableLines, wrap } from "./terminal.ts";
import type { TextOptions } from "./text.ts";
import { serviceName, verdictSentence } from "./verdict-sentence.ts";

const VERDICTS = {
  pass: ["green", "PASS"],
  fail: ["red", "FAIL"],
  unknown: ["yellow", "UNKNOWN"],
} as const;

const TITLE_WIDTH = 13;

/** The last lines of a campaign's output: the verdict, the counts, and the paths of the reports. */
export function summary(campaign: Campaign, options: TextOptions): string {
  const colours = coloursFor(options.colour);
  const width = options.width ?? 100;
  const { folder } = options;
  const c = campaign;
  const clients = Object.entries(c.executionsByClients).map(
    ([count, executions]) => `${formatNumber(executions)} with ${count}`,
  );
  const entries: readonly SummaryEntry[] = [
    [
      "executions",
      `${formatNumber(c.executions)} of ${quantity(c.scenarios, "scenario")}, ${formatNumber(c.executionsPerSecond)}/s; ${duration(c.elapsedMs)} in total`,
    ],
    ...optionalEntry(c.compared > 0, "", `${formatNumber(c.compared)} more for comparisons`),
    ["clients", clients.join(", ")],
    [
      "steps",
      `${formatNumber(c.steps)}, ${quantity(c.preemptions, "preemption")}, ${quantity(c.waits, "lock wait")}, ${quantity(c.deadlocks, "deadlock")}`,
    ],
    ...optionalEntry(
      Object.keys(c.faults).length > 0 || c.settings.faults.length > 0,
      "faults",
      faultsLine(c),
    ),
    ...optionalEntry(c.patterns.length > 0, "patterns", c.patterns.map(patternShare).join(", ")),
    ...titled("coverage", c.coverage),
    ...titled("pairs", pairLines(c.pairs), "table"),
    ["rules", rulesLine(c.rules)],
    ...optionalEntry(hasNoInvariants(c), "", NO_INVARIANTS),
    ...titled("regressions", c.regressions.map(regressionLine)),
    ...optionalEntry(
      c.serviceLog !== null,
      "service",
      `its standard error is in ${printable(c.serviceLog ?? "")}`,
    ),
    ["reports", `${path.join(folder, FILES.page)}, ${path.join(folder, FILES.report)}`],
  ];
  const lines = [
    ...verdictLine(c.verdict, serviceName(c), verdictSentence(c), width, colours),
    "",
    ...summaryLines(entries, width, colours),
    ...c.counterexamples.flatMap((counterexample) => [
      "",
      `${colours("red", printable(mainViolation(counterexample).name))}: ${counterexampleSize(counterexample)}`,
      `  ${replayCommandIn(folder, counterexample)}`,
    ]),
  ];
  return `${lines.join("\n")}\n`;
}

const NO_INVARIANTS = "no invariants were given: only the answers of clients were checked";

function hasNoInvariants({ settings, rules }: Campaign): boolean {
  const asked = settings.checkers.includes("invariant");
  return asked && rules.every(({ checker }) => checker === "contract" || checker === "leaks");
}

/** `PASS  booking`, then the sentence. */
export function verdictLine(
  verdict: Verdict,
  title: string,
  sentence: string,
  width: number,
  colours: Colours,
): readonly string[] {
  const [colour, word] = VERDICTS[verdict];
  return [colours(["bold", colour], `${word}  ${title}`), ...wrap(sentence, width)];
}

/**
 * A title and a text; the title is empty if the text continues the entry before. The lines of a
 * table are not wrapped.
 */
export type SummaryEntry = readonly [title: string, text: string, kind?: "text" | "table"];

/** The entries as two columns. */
export function summaryLines(
  entries: readonly SummaryEntry[],
  width: number,
  colours: Colours,
): readonly string[] {
  return entries.flatMap(([title, text, kind]) =>
    (kind === "table" ? [text] : wrap(text, width - TITLE_WIDTH)).map(
      (line, at) => colours("dim", (at === 0 ? title : "").padEnd(TITLE_WIDTH)) + line,
    ),
  );
}

function optionalEntry(present: boolean, title: string, text: string): readonly SummaryEntry[] {
  return present ? [[title, text]] : [];
}

function titled(
  title: string,
  texts: readonly string[],
  kind: "text" | "table" = "text",
): readonly SummaryEntry[] {
  return texts.map((text, at) => [at === 0 ? title : "", text, kind]);
}

const REGRESSIONS = {
  fails: "violates its rule again",
  fixed:
    "no longer violates its rule: remove it with heddle regressions --prune, or keep it as a test",
  stale:
    "shows nothing here: the service takes other steps, or other gates or another isolation are asked for",
} as const;

function regressionLine({ file, outcome }: RegressionResult): string {
  return `${printable(file)} ${REGRESSIONS[outcome]}`;
}

const PATTERN_NOTES = {
  reached: "",
  "too few scenarios": "too few scenarios to tell, ",
  missed: "MISSED, ",
} as const;

function patternShare(pattern: PatternCount): string {
  const { name, share, threshold } = pattern;
  const note = PATTERN_NOTES[patternOutcome(pattern)];
  return `${printable(name)} ${percent(share)} (${note}promised ${percent(threshold)})`;
}

/** `6 rules checked 672 times; violated: no_server_error 1`. */
export function rulesLine(rules: readonly CountedRule[]): string {
  const checks = rules.reduce((sum, rule) => sum + rule.checked, 0);
  const checked = `${quantity(rules.length, "rule")} checked ${formatNumber(checks)} times`;
  const violated = rules
    .filter((rule) => rule.violated > 0)
    .map((rule) => `${printable(rule.name)} ${formatNumber(rule.violated)}`);
  return violated.length === 0
    ? `${checked}, none violated`
    : `${checked}; violated: ${violated.join(", ")}`;
}

/** `create: CREATED 12, CONFLICT 3`. */
export function responseLines(responses: Campaign["responses"]): readonly SummaryEntry[] {
  const lines = Object.entries(responses).map(([operation, codes]) => {
    const counts = Object.entries(codes).map(([code, count]) => `${code} ${formatNumber(count)}`);
    return printable(`${operation}: ${counts.join(", ")}`);
  });
  return titled("responses", lines);
}

const PAIR_COLUMNS = [
  { title: "pair" },
  { title: "explored", kind: "number" },
  { title: "pruned", kind: "number" },
  { title: "outcomes", kind: "number" },
] as const;

/** The searched pairs as a table; nothing if no pair was searched. */
export function pairLines(pairs: readonly PairSearch[]): readonly string[] {
  const searched = pairs.filter((pair) => pair.explored > 0);
  if (searched.length === 0) return [];
  const rows = searched.map((pair) => {
    const { explored, pruned, outcomes } = pairCells(pair);
    return [printable(pair.name), explored, pruned, outcomes];
  });
  const skipped = pairs.length - searched.length;
  return [
    ...tableLines(PAIR_COLUMNS, rows),
    ...(searched.some((pair) => pair.pruned === null)
      ? ["–: no reduction; --preemptions all leaves out equivalent interleavings"]
      : []),
    ...(skipped === 0 ? [] : [`${quantity(skipped, "pair")} not explored`]),
  ];
}
