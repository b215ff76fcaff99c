import path from "node:path";
import type { AttackReport, LatencyPercentiles } from "../attack/attack-report.ts";
import { duration, formatNumber, printable, quantity } from "./format-values.ts";
import {
  errorAnnotation,
  fencedText,
  type GithubReport,
  markdownFooter,
  markdownPage,
  markdownText,
  markdownVerdict,
  markdownViolation,
  verdictAnnotation,
} from "./github.ts";
import { junitXml, ruleCases, verdictCase } from "./junit.ts";
import { violatedRules } from "./outcomes.ts";
import { FILES } from "./report-files.ts";
import { responseLines, rulesLine, summaryLines, verdictLine } from "./summary.ts";
import { coloursFor } from "./terminal.ts";
import { violationLines } from "./text.ts";
import { unknownSentence } from "./verdict-sentence.ts";

/** What a reader must know to judge the verdict of any attack. */
export const ATTACK_CONTROL = {
  controlled:
    "Which requests a round sends at once, from which client and by which route: it derives from the seed.",
  uncontrolled:
    "The order in which the target handled the requests. Heddle held nothing back, so a pass covers only the orders that occurred; heddle verify searches interleavings.",
} as const;

/** `booking, attack sc1`. */
export function attackTitle({ service, attack }: AttackReport): string {
  return printable(`${service}, attack ${attack.name}`);
}

/** The verdict and what was sent, in words that can be quoted. */
export function attackSentence(report: AttackReport): string {
  const { verdict, reason, rounds, requests, violations, concurrency, seed } = report;
  const executed = `${quantity(rounds, "round")} of the attack ${printable(report.attack.name)} (${quantity(requests, "request")}, ${formatNumber(concurrency)} at once, seed ${printable(seed)})`;
  const rules = printable(violatedRules(report.rules).join(", "));
  switch (verdict) {
    case "pass":
      return `No violation in ${executed}. The target chose the order of the requests: this is a sample, not a proof.`;
    case "fail":
      return `${quantity(violations, "violation")} in ${executed}: ${rules}.`;
    case "unknown":
      return unknownSentence(reason, executed, undefined);
  }
}

/** `of create by function: median 50.0 ms, …`. */
function latencyLine({ route, requests, median, p95, p99 }: LatencyPercentiles): string {
  const ms = (value: number): string => `${value.toFixed(1)} ms`;
  return printable(
    `${route}: median ${ms(median)}, 95th percentile ${ms(p95)}, 99th percentile ${ms(p99)}, ${quantity(requests, "request")}`,
  );
}

/** The output of `heddle attack`. */
export function attackText(
  report: AttackReport,
  options: { readonly colour: boolean; readonly folder: string; readonly width?: number },
): string {
  const colours = coloursFor(options.colour);
  const width = options.width ?? 100;
  const { rounds, iterations, requests, elapsedMs, target } = report;
  const database = target.database === null ? "" : `, database ${target.database}`;
  const lines = [
    ...report.examples.flatMap((violation) => [...violationLines(violation, width, colours), ""]),
    ...verdictLine(report.verdict, attackTitle(report), attackSentence(report), width, colours),
    "",
    ...summaryLines(
      [
        ["target", `${target.url}${database}`],
        [
          "rounds",
          `${formatNumber(rounds)} of ${formatNumber(iterations)}, ${quantity(requests, "request")} in ${duration(elapsedMs)}`,
        ],
        ...responseLines(report.responses),
        ...report.latencies.map((it, at) => [at === 0 ? "latency" : "", latencyLine(it)] as const),
        ["rules", rulesLine(report.rules)],
        ["uncontrolled", ATTACK_CONTROL.uncontrolled],
        [
          "reports",
          `${path.join(options.folder, FILES.page)}, ${path.join(options.folder, FILES.report)}`,
        ],
      ],
      width,
      colours,
    ),
  ];
  return `${lines.join("\n")}\n`;
}

/** `junit.xml` of an attack: a test case for each rule, and a test case `attack` for the verdict. */
export function attackJunit(report: AttackReport): string {
  const { service, attack, seed, rounds, requests, digest, environment } = report;
  const name = `heddle ${attackTitle(report)}`;
  const sentence = attackSentence(report);
  const examples = report.examples.map((violation) => ({
    violations: [violation],
    text: violationLines(violation, 100, coloursFor(false)).join("\n"),
  }));
  return junitXml({
    ...{ name, startedAt: report.startedAt, elapsedMs: report.elapsedMs },
    properties: {
      ...{ seed, attack: attack.name, rounds, requests, digest, heddle: environment.heddle },
    },
    cases: [
      ...ruleCases(service, report.rules, examples),
      verdictCase("attack", name, report.verdict, sentence),
    ],
    output: sentence,
  });
}

/** @param folder where the report is written */
export function attackGithub(report: AttackReport, folder: string): GithubReport {
  const { verdict, examples, rounds, requests, elapsedMs, rules, seed, digest } = report;
  const sentence = attackSentence(report);
  const title = attackTitle(report);
  const lines = [
    ...markdownVerdict(verdict, title, sentence),
    "",
    "| rounds | requests | time | rules | violated |",
    "| --- | --- | --- | --- | --- |",
    `| ${formatNumber(rounds)} | ${formatNumber(requests)} | ${duration(elapsedMs)} | ${rules.length} | ${violatedRules(rules).map(markdownText).join(", ") || "none"} |`,
    "",
    ...report.latencies.map((it) => `- latency ${markdownText(latencyLine(it))}`),
    ...examples.flatMap((violation) => [
      "",
      ...markdownViolation(violation.name, violation.message),
      "",
      ...fencedText(violationLines(violation, 100, coloursFor(false)).join("\n")),
    ]),
    "",
    markdownFooter(folder, seed, digest),
  ];
  return {
    annotations: [
      verdictAnnotation(verdict, title, sentence),
      ...examples.map(({ name, message }) => errorAnnotation(name, message)),
    ],
    summary: markdownPage(lines),
  };
}
