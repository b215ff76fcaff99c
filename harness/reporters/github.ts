import path from "node:path";
import type { Campaign } from "../explorer/campaign.ts";
import { counted, duration, number, percent } from "./counted.ts";
import { mainViolation, replayCommand, replayFilePath } from "./replay-command.ts";
import { counterexampleText } from "./text.ts";
import { serviceName, verdictSentence } from "./verdict-sentence.ts";

const LEVELS = { pass: "notice", fail: "error", unknown: "warning" } as const;

/**
 * What a campaign says to GitHub Actions, which shows it beside the commit. One line each, to be
 * printed: https://docs.github.com/en/actions/reference/workflow-operations-for-github-actions
 */
export function githubAnnotations(campaign: Campaign, folder: string): readonly string[] {
  const { verdict, counterexamples } = campaign;
  const title = `Heddle: ${serviceName(campaign)}`;
  const shown = counterexamples.map((c) => {
    const { name, message } = mainViolation(c);
    const again = replayCommand(replayFilePath(folder, c));
    return workflowCommand("error", `Heddle: ${name}`, `${message}\nReplay it: ${again}`);
  });
  return [workflowCommand(LEVELS[verdict], title, verdictSentence(campaign)), ...shown];
}

function workflowCommand(level: string, title: string, message: string): string {
  const inProperty = escaped(title).replaceAll(":", "%3A").replaceAll(",", "%2C");
  return `::${level} title=${inProperty}::${escaped(message)}`;
}

function escaped(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

const MARKS = { pass: "✅", fail: "❌", unknown: "⚠️" } as const;

/** The same as a page: Markdown for a job's summary. */
export function markdownSummary(campaign: Campaign, folder: string): string {
  const { verdict, rules, executions, scenarios, executionsPerSecond, elapsedMs } = campaign;
  const broken = rules.filter(({ violated }) => violated > 0);
  const lines = [
    `## ${MARKS[verdict]} Heddle: ${text(serviceName(campaign))}`,
    "",
    text(verdictSentence(campaign)),
    "",
    "| executions | scenarios | per second | time | rules | broken |",
    "| --- | --- | --- | --- | --- | --- |",
    `| ${number(executions)} | ${number(scenarios)} | ${number(executionsPerSecond)} | ${duration(elapsedMs)} | ${rules.length} | ${text(broken.map(({ name }) => name).join(", ")) || "none"} |`,
    "",
    ...campaign.coverage.map((sentence) => `- ${text(sentence)}`),
    ...campaign.patterns
      .filter(({ missed }) => missed)
      .map(({ name, share }) => `- pattern ${text(name)} was missed: ${percent(share)}`),
    ...campaign.counterexamples.flatMap((c) => {
      const { name, message } = mainViolation(c);
      return [
        "",
        `### ${text(name)}`,
        "",
        text(message),
        "",
        ...fenced(replayCommand(replayFilePath(folder, c))),
        "",
        `<details><summary>What happened, in ${counted(c.preemptions, "preemption")}</summary>`,
        "",
        ...fenced(counterexampleText(c, { colour: false, folder })),
        "",
        "</details>",
      ];
    }),
    "",
    `Reports: \`${path.join(folder, "report.html")}\`, seed ${campaign.seed}, digest \`${campaign.digest.slice(0, 12)}\``,
  ];
  return `${lines.join("\n")}\n`;
}

/** Text in which Markdown and HTML see nothing of theirs. */
function text(plain: string): string {
  return plain.replace(/[\\`*_{}[\]()<>#|&~]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** A fence longer than any in the text. */
function fenced(content: string): string[] {
  const longest = Math.max(2, ...[...content.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return [`${fence}text`, content.trimEnd(), fence];
}
