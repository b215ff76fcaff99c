import type { AttackReport } from "../../attack/attack-report.ts";
import { ATTACK_CONTROL, attackSentence, attackTitle } from "../attack.ts";
import { duration, formatNumber } from "../format-values.ts";
import { responsesTable, rulesTable } from "./campaign.ts";
import { violationBlock } from "./counterexample.ts";
import { factList, figureList, html, list, type Markup, table } from "./markup.ts";
import { HEADLINES, page, reportHeader } from "./page.ts";

/** `report.html` of an attack. */
export function attackHtml(report: AttackReport): string {
  const { verdict, examples, rounds, requests, concurrency, violations, elapsedMs } = report;
  const violated = examples.length > 0;
  return page({
    title: `${HEADLINES[verdict]} · ${attackTitle(report)}`,
    header: reportHeader({
      kind: "Heddle attack report",
      title: attackTitle(report),
      verdict,
      sentence: attackSentence(report),
      sections: [
        ...(violated ? ([["violations", "Violations"]] as const) : []),
        ["rules", "Rules checked"],
        ["requests", "Requests"],
        ["control", "Control"],
        ["environment", "Target and environment"],
      ],
    }),
    main: html`${figureList([
      ["Rounds", formatNumber(rounds)],
      ["Requests", formatNumber(requests)],
      ["At once", formatNumber(concurrency)],
      ["Violations", formatNumber(violations)],
      ["Total time", duration(elapsedMs)],
    ])}${violated ? violationsSection(report) : undefined}<section id="rules">
<h2>Rules checked</h2>
${rulesTable(report.rules, examples)}</section>
${requestsSection(report)}<section id="control">
<h2>Control</h2>
<h3>Controlled</h3>
${list([ATTACK_CONTROL.controlled])}
<h3>Not controlled</h3>
${list([ATTACK_CONTROL.uncontrolled])}</section>
${environmentSection(report)}`,
    footer:
      "A round sends its requests to the target at once. For machines, the same is in report.json.",
  });
}

function violationsSection({ examples }: AttackReport): Markup {
  return html`<section id="violations">
<h2>Violations</h2>
<p class="note">The first violation of each rule. An attack has no schedule to replay.</p>
${examples.map(violationBlock)}</section>
`;
}

function requestsSection({ responses, latencies }: AttackReport): Markup {
  const ms = (value: number): string => `${value.toFixed(1)} ms`;
  return html`<section id="requests">
<h2>Requests</h2>
${responsesTable(responses)}${table(
  "Latency by route",
  [
    { title: "Way" },
    { title: "Requests", kind: "number" },
    { title: "Median", kind: "number" },
    { title: "95th percentile", kind: "number" },
    { title: "99th percentile", kind: "number" },
  ],
  latencies.map(({ route, requests, median, p95, p99 }) => [
    ...[route, formatNumber(requests), ms(median), ms(p95), ms(p99)],
  ]),
)}</section>
`;
}

function environmentSection(report: AttackReport): Markup {
  const { target, attack, environment: e } = report;
  return html`<section id="environment">
<h2>Target and environment</h2>
${factList([
  ["Target", html`<code>${target.url}</code>`],
  ["Database", target.database === null ? "no access" : html`<code>${target.database}</code>`],
  ["Attack", `${attack.name}: ${attack.description}`],
  ["Rounds asked for", formatNumber(report.iterations)],
  ["Seed", html`<code>${report.seed}</code>`],
  ["Heddle", e.heddle],
  ["Node.js", e.node],
  ["Machine", `${e.platform}, ${e.cpus} CPUs`],
  ["Started", report.startedAt],
  ["Digest", html`<code class="hash">${report.digest}</code>`],
])}</section>
`;
}
