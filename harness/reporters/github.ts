import path from "node:path";
import type { Verdict } from "../core/verdict.ts";
import type { Campaign } from "../explorer/campaign.ts";
import {
  duration,
  formatNumber,
  percent,
  printable,
  quantity,
  shortened,
} from "./format-values.ts";
import { violatedRules } from "./outcomes.ts";
import { mainViolation, replayCommandIn } from "./replay-command.ts";
import { FILES } from "./report-files.ts";
import { counterexampleText } from "./text.ts";
import { serviceName, verdictSentence } from "./verdict-sentence.ts";

/** What GitHub Actions shows of a run. */
export interface GithubReport {
  /** Workflow commands, one line each, which GitHub shows beside the commit. */
  readonly annotations: readonly string[];
  /** Markdown for the summary of the job. */
  readonly summary: string;
}

/** @param folder where the report is written; the replay commands name it */
export function campaignGithub(campaign: Campaign, folder: string): GithubReport {
  const { verdict, counterexamples } = campaign;
  const violations = counterexamples.map((c) => {
    const { name, message } = mainViolation(c);
    const replay = replayCommandIn(folder, c);
    return errorAnnotation(name, `${printable(message)}\nReplay it: ${replay}`);
  });
  return {
    annotations: [
      verdictAnnotation(verdict, serviceName(campaign), verdictSentence(campaign)),
      ...violations,
    ],
    summary: campaignMarkdown(campaign, folder),
  };
}

const LEVELS = { pass: "notice", fail: "error", unknown: "warning" } as const;

export function verdictAnnotation(verdict: Verdict, service: string, sentence: string): string {
  return workflowCommand(LEVELS[verdict], `Heddle: ${service}`, sentence);
}

export function errorAnnotation(rule: string, message: string): string {
  return workflowCommand("error", `Heddle: ${rule}`, message);
}

/** https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions */
function workflowCommand(level: string, title: string, message: string): string {
  const property = escapeData(printable(title, 200)).replaceAll(":", "%3A").replaceAll(",", "%2C");
  return `::${level} title=${property}::${escapeData(printableLines(message))}`;
}

function printableLines(text: string): string {
  return text
    .split("\n")
    .map((line) => printable(line))
    .join("\n");
}

function escapeData(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

const MARKS = { pass: "✅", fail: "❌", unknown: "⚠️" } as const;

function campaignMarkdown(campaign: Campaign, folder: string): string {
  const { rules, executions, scenarios, executionsPerSecond, elapsedMs } = campaign;
  const violated = violatedRules(rules).map(markdownText).join(", ") || "none";
  const lines = [
    ...markdownVerdict(campaign.verdict, serviceName(campaign), verdictSentence(campaign)),
    "",
    "| executions | scenarios | per second | time | rules | violated |",
    "| --- | --- | --- | --- | --- | --- |",
    `| ${formatNumber(executions)} | ${formatNumber(scenarios)} | ${formatNumber(executionsPerSecond)} | ${duration(elapsedMs)} | ${rules.length} | ${violated} |`,
    "",
    ...campaign.coverage.map((sentence) => `- ${markdownText(sentence)}`),
    ...campaign.patterns
      .filter(({ missed }) => missed)
      .map(({ name, share, threshold }) => {
        return `- pattern ${markdownText(name)} occurred in ${percent(share)} of the scenarios, less than the promised ${percent(threshold)}`;
      }),
    ...campaign.counterexamples.flatMap((c) => {
      const { name, message } = mainViolation(c);
      return [
        "",
        ...markdownViolation(name, message),
        "",
        ...fencedText(replayCommandIn(folder, c)),
        "",
        `<details><summary>Counterexample with ${quantity(c.preemptions, "preemption")}</summary>`,
        "",
        ...fencedText(counterexampleText(c, { colour: false, folder })),
        "",
        "</details>",
      ];
    }),
    "",
    markdownFooter(folder, campaign.seed, campaign.digest),
  ];
  return markdownPage(lines);
}

export function markdownVerdict(verdict: Verdict, service: string, sentence: string): string[] {
  return [`## ${MARKS[verdict]} Heddle: ${markdownText(service)}`, "", markdownText(sentence)];
}

export function markdownViolation(rule: string, message: string): string[] {
  return [`### ${markdownText(rule)}`, "", markdownText(message)];
}

export function markdownFooter(folder: string, seed: number | string, digest: string): string {
  const page = path.join(folder, FILES.page);
  return `Report: \`${page}\`, seed ${markdownText(String(seed))}, digest \`${digest.slice(0, 12)}\``;
}

/** GitHub refuses the summary of a step that has more than 1 MiB. */
const MAX_SUMMARY = 300_000;
const MAX_CODE = 30_000;

export function markdownPage(lines: readonly string[]): string {
  return shortened(`${lines.join("\n")}\n`, MAX_SUMMARY);
}

/** Escapes text so that Markdown and HTML find no markup in it. */
export function markdownText(plain: string): string {
  return printable(plain).replace(
    /[\\`*_{}[\]()<>#|&~]/g,
    (character) => `&#${character.charCodeAt(0)};`,
  );
}

/** A code block. Its fence is longer than any run of backticks in the text. */
export function fencedText(content: string): string[] {
  const longest = Math.max(2, ...[...content.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return [`${fence}text`, shortened(content.trimEnd(), MAX_CODE), fence];
}
