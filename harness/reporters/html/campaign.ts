import type { Campaign, PatternCount, RuleCount } from "../../explorer/campaign.ts";
import { counted, duration, number, percent } from "../counted.ts";
import { type KeptCounts, keptOf } from "../kept.ts";
import { faultsLine } from "../one-line.ts";
import { pairTable } from "../pair-table.ts";
import { ruleOutcome } from "../rule-outcome.ts";
import { bar, charts } from "./charts.ts";
import { type Content, html, type Markup } from "./markup.ts";
import { type Column, table } from "./table.ts";

/** The campaign's counts in one row. */
export function figures(c: Campaign): Markup {
  const entries: [string, Content][] = [
    ["Executions", number(c.executions)],
    ...(c.compared === 0 ? [] : [["For comparison", number(c.compared)] as [string, Content]]),
    ["Scenarios", number(c.scenarios)],
    ["Per second, exploring", number(c.executionsPerSecond)],
    ["Time in all", duration(c.elapsedMs)],
    ["Steps", number(c.steps)],
    ["Preemptions", number(c.preemptions)],
    ["Lock waits", number(c.waits)],
    ["Deadlocks", number(c.deadlocks)],
    ["Faults", faultsLine(c)],
  ];
  return html`<dl class="figures">
${entries.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>\n`)}</dl>
`;
}

export function rulesSection(campaign: Campaign): Markup {
  const columns: Column[] = [
    { title: "Rule" },
    { title: "Checked", kind: "number" },
    { title: "Violated", kind: "number" },
  ];
  const shown = campaign.counterexamples.flatMap(({ violations }) => violations);
  const violated = (rule: RuleCount): Content => {
    if (ruleOutcome(rule, shown) === "broken") {
      const count = rule.violated === 0 ? "when shrunk" : number(rule.violated);
      return html`<strong class="fail">${count}</strong>`;
    }
    return rule.checked === 0 ? "never applied" : "0";
  };
  const rows = campaign.rules.map((rule) => [
    html`<code>${rule.name}</code><br><span class="note">${rule.checker}: ${rule.description}</span>`,
    number(rule.checked),
    violated(rule),
  ]);
  return html`<section id="rules">
<h2>What was checked</h2>
${table("How often each rule was applied, and how often it was broken", columns, rows)}${regressionsSection(campaign)}</section>
`;
}

/** What once failed; nothing where nothing was kept. */
function regressionsSection({ regressions }: Campaign): Markup | undefined {
  if (regressions.length === 0) return undefined;
  const columns: Column[] = [{ title: "Regression" }, { title: "Rule" }, { title: "Now" }];
  const rows = regressions.map(({ file, rule, outcome }) => [
    html`<code>${file}</code>`,
    html`<code>${rule}</code>`,
    outcome === "fails" ? html`<strong class="fail">fails again</strong>` : FATES[outcome],
  ]);
  return html`<h3>Regressions</h3>
${table("What broke a rule before, and was executed first", columns, rows)}`;
}

const FATES = { fixed: "no longer fails", stale: "no longer fits" } as const;

export function responsesSection(campaign: Campaign): Markup {
  const columns: Column[] = [
    { title: "Operation" },
    { title: "Response" },
    { title: "Count", kind: "number" },
    { title: "Share", kind: "number" },
  ];
  const rows = Object.entries(campaign.responses).flatMap(([operation, codes]) => {
    const total = Object.values(codes).reduce((sum, count) => sum + count, 0);
    return Object.entries(codes).map(([code, count]) => [
      html`<code>${operation}</code>`,
      html`<code>${code}</code>`,
      number(count),
      html`${percent(count / total)}${bar(count / total)}`,
    ]);
  });
  const clients = Object.entries(campaign.executionsByClients).map(([count, executions]) => [
    `${count} clients`,
    number(executions),
  ]);
  return html`<section id="explored">
<h2>What was explored</h2>
${table("Responses by operation; the share is of that operation’s", columns, rows)}
<h3>Clients</h3>
${table("Executions by number of concurrent clients", [{ title: "Clients" }, { title: "Executions", kind: "number" }], clients)}
${pairTable(campaign.pairs)}${patterns(campaign.patterns)}${charts(campaign)}</section>
`;
}

function patterns(all: readonly PatternCount[]): Markup | undefined {
  if (all.length === 0) return undefined;
  const columns: Column[] = [
    { title: "Pattern" },
    { title: "Scenarios", kind: "number" },
    { title: "Share", kind: "number" },
    { title: "Promised", kind: "number" },
  ];
  const rows = all.map((pattern) => [
    html`<code>${pattern.name}</code><br><span class="note">${pattern.description}</span>`,
    number(pattern.scenarios),
    html`${percent(pattern.share)}${bar(pattern.share)}`,
    html`${percent(pattern.threshold)}<br>${KEPT[keptOf(pattern)]}`,
  ]);
  return html`<h3>Patterns in which races live</h3>
${table("How many of the generated scenarios had each, and the least share promised", columns, rows)}<p class="note">A share below what was promised is missed if chance does not explain it: if it is lower by more than three standard deviations. Otherwise there are too few scenarios to tell.</p>
`;
}

const KEPT: { readonly [kept in KeptCounts]: Markup } = {
  kept: html`<span class="pass">kept</span>`,
  "too few to tell": html`<span class="unknown">too few to tell</span>`,
  missed: html`<strong class="unknown">missed</strong>`,
};

export function controlSection(campaign: Campaign): Markup {
  return html`<section id="control">
<h2>What was covered, controlled, and what was not</h2>
${campaign.coverage.length === 0 ? undefined : html`<h3>Covered</h3>\n${sentences(campaign.coverage)}`}
<h3>Controlled</h3>
${sentences(campaign.controlled)}
<h3>Not controlled</h3>
${sentences(campaign.uncontrolled)}</section>
`;
}

export function environmentSection(c: Campaign): Markup {
  const { environment: e, hashes, routines } = c;
  const waits = e.postgres.lockWaits === "pushed" ? "pushed by the server" : "asked for";
  const facts: [string, Content][] = [
    ["Heddle", e.heddle],
    ["PostgreSQL", `${e.postgres.version} (${e.postgres.provider})`],
    ["Lock waits", waits],
    ["Node.js", e.node],
    ["Machine", `${e.platform}, ${e.cpus} CPUs`],
    ["Seed", html`<code>${c.seed}</code>`],
    ["Strategy", c.strategy],
    ...settingsFacts(c),
    ["Gates", c.control.gates.join(", ")],
    ["Isolation", c.control.isolation],
    ["Started", c.startedAt],
    ["Digest", html`<code class="hash">${c.digest}</code>`],
  ];
  return html`<section id="environment">
<h2>Environment and sources</h2>
<dl class="facts">
${facts.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>\n`)}</dl>
<p class="note">The digest covers every scenario, schedule, statement, response and violation: two campaigns with equal digests saw the same.</p>
${hashTable("Sources of the schema, the model and the service", hashes)}${hashTable("Routines as the server held them, before gates were put into them", routines)}</section>
`;
}

/** What the campaign was told. */
function settingsFacts({ settings, control }: Campaign): [string, Content][] {
  if (settings === null) return [];
  const { runs, timeMs, scenarios, pairs, preemptions, faults, checkers } = settings;
  const limits = [
    ...(pairs ? ["each pair of operations"] : []),
    ...(scenarios === null ? [] : [counted(scenarios, "scenario")]),
    ...(runs === null ? [] : [counted(runs, "execution")]),
    ...(timeMs === null ? [] : [duration(timeMs)]),
  ];
  return [
    ["Limits", limits.join(", ")],
    [
      "Preemptions of a search",
      preemptions === null ? "without a bound" : `at most ${preemptions}`,
    ],
    ["Faults asked for", faults.join(", ") || "none"],
    ["Checkers", checkers.join(", ")],
    [
      "Invariants",
      control.observe === undefined ? "after each execution" : "after each commit too",
    ],
  ];
}

/** Folded in: nobody reads it before there is something to compare. */
function hashTable(title: string, hashes: Campaign["hashes"]): Markup | undefined {
  const rows = Object.entries(hashes).map(([name, hash]) => [
    html`<code class="hash">${name}</code>`,
    html`<code class="hash">${hash}</code>`,
  ]);
  if (rows.length === 0) return undefined;
  return html`<details>
<summary>${title} (${rows.length})</summary>
${table(title, [{ title: "Name" }, { title: "SHA-256" }], rows)}</details>
`;
}

function sentences(all: readonly string[]): Markup {
  return html`<ul>${all.map((sentence) => html`<li>${sentence}</li>\n`)}</ul>`;
}
