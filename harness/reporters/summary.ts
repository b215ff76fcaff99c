import path from "node:path";
import { operationCount } from "../core/scenario.ts";
import type {
  Campaign,
  PatternCount,
  RegressionOutcome,
  RegressionResult,
} from "../explorer/campaign.ts";
import { type Colours, coloursFor } from "./colours.ts";
import { counted, duration, number, percent } from "./counted.ts";
import { keptOf } from "./kept.ts";
import { faultsLine } from "./one-line.ts";
import { pairLines } from "./pair-table.ts";
import { printable } from "./printable.ts";
import { mainViolation, replayCommand, replayFilePath } from "./replay-command.ts";
import type { TextOptions } from "./text.ts";
import { serviceName, verdictSentence } from "./verdict-sentence.ts";
import { wrap } from "./wrap.ts";

const VERDICTS = {
  pass: ["green", "PASS"],
  fail: ["red", "FAIL"],
  unknown: ["yellow", "UNKNOWN"],
} as const;

const INDENT = 12;

/** The closing lines of a campaign: the verdict with its bounds, the counts, where the reports are. */
export function summary(campaign: Campaign, options: TextOptions): string {
  const paint = coloursFor(options.colour);
  const width = options.width ?? 100;
  const [colour, word] = VERDICTS[campaign.verdict];
  const head = `${word}  ${serviceName(campaign)}`;
  const c = campaign;
  const rate = `${number(c.executionsPerSecond)}/s`;
  const time = duration(c.elapsedMs);
  const scenarios = counted(c.scenarios, "scenario");
  const clients = Object.entries(c.executionsByClients).map(([k, n]) => `${number(n)} with ${k}`);
  const entry = (name: string, text: string) => entryLines(name, text, width, paint);
  const lines = [
    paint(["bold", colour], head),
    ...wrap(verdictSentence(c), width),
    "",
    ...entry("executions", `${number(c.executions)} of ${scenarios}, ${rate}; ${time} in all`),
    ...(c.compared === 0 ? [] : entry("", `${number(c.compared)} more for comparison`)),
    ...entry("clients", clients.join(", ")),
    ...entry(
      "steps",
      `${number(c.steps)}, ${counted(c.preemptions, "preemption")}, ${counted(c.waits, "lock wait")}, ${counted(c.deadlocks, "deadlock")}`,
    ),
    ...(wereAsked(c) ? entry("faults", faultsLine(c)) : []),
    ...(c.patterns.length === 0 ? [] : entry("patterns", c.patterns.map(pattern).join(", "))),
    ...c.coverage.flatMap((sentence, at) => entry(at === 0 ? "coverage" : "", sentence)),
    ...pairLines(c.pairs).map((line, at) => entryLine(at === 0 ? "pairs" : "", line, paint)),
    ...entry("rules", rules(c)),
    ...c.regressions.flatMap((it, at) => entry(at === 0 ? "regressions" : "", regression(it))),
    ...entry(
      "reports",
      `${path.join(options.folder, "report.html")}, ${path.join(options.folder, "report.json")}`,
    ),
    ...c.counterexamples.flatMap((counterexample) => {
      const { scenario, preemptions } = counterexample;
      const size = `${counted(operationCount(scenario), "operation")}, ${counted(preemptions, "preemption")}`;
      return [
        "",
        `${paint("red", printable(mainViolation(counterexample).name))}: ${size}`,
        `  ${replayCommand(replayFilePath(options.folder, counterexample))}`,
      ];
    }),
  ];
  return `${lines.join("\n")}\n`;
}

function wereAsked({ faults, settings }: Campaign): boolean {
  return Object.keys(faults).length > 0 || (settings?.faults ?? []).length > 0;
}

const FATES: { readonly [outcome in RegressionOutcome]: string } = {
  fails: "fails again",
  fixed: "no longer fails: take it out with heddle regressions --prune, or keep it as a guard",
  stale: "no longer fits: the service does not go that way any more",
};

function regression({ file, outcome }: RegressionResult): string {
  return `${printable(file)} ${FATES[outcome]}`;
}

const FLAGS = { kept: "", "too few to tell": "too few to tell, ", missed: "MISSED, " } as const;

function pattern(count: PatternCount): string {
  const { name, share, threshold } = count;
  const flag = FLAGS[keptOf(count)];
  return `${printable(name)} ${percent(share)} (${flag}at least ${percent(threshold)})`;
}

function rules(campaign: Campaign): string {
  const checks = campaign.rules.reduce((sum, rule) => sum + rule.checked, 0);
  const broken = campaign.rules.filter((rule) => rule.violated > 0);
  const kept = `${counted(campaign.rules.length, "rule")} checked ${number(checks)} times`;
  const list = broken.map((rule) => `${printable(rule.name)} ${number(rule.violated)}`).join(", ");
  return broken.length === 0 ? `${kept}, none broken` : `${kept}; broken: ${list}`;
}

function entryLines(name: string, text: string, width: number, paint: Colours): string[] {
  const lines = wrap(text, width - INDENT);
  return lines.map((line, at) => entryLine(at === 0 ? name : "", line, paint));
}

function entryLine(name: string, line: string, paint: Colours): string {
  return paint("dim", name.padEnd(INDENT)) + line;
}
