import type { Campaign, PairSearch, PatternCount } from "../../explorer/campaign.ts";
import { duration, formatNumber, percent, quantity } from "../format-values.ts";
import {
  type CountedRule,
  faultsLine,
  type PatternOutcome,
  pairCells,
  patternOutcome,
  ruleOutcome,
} from "../outcomes.ts";
import type { Column } from "../terminal.ts";
import {
  bar,
  type Content,
  detailsOf,
  factList,
  figureList,
  html,
  list,
  type Markup,
  table,
} from "./markup.ts";

export function campaignFigures(c: Campaign): Markup {
  return figureList([
    ["Executions", formatNumber(c.executions)],
    ...(c.compared === 0 ? [] : [["For comparisons", formatNumber(c.compared)] as const]),
    ["Scenarios", formatNumber(c.scenarios)],
    ["Per second, exploring", formatNumber(c.executionsPerSecond)],
    ["Total time", duration(c.elapsedMs)],
    ["Steps", formatNumber(c.steps)],
    ["Preemptions", formatNumber(c.preemptions)],
    ["Lock waits", formatNumber(c.waits)],
    ["Deadlocks", formatNumber(c.deadlocks)],
    ["Faults", faultsLine(c)],
    ...(c.serviceLog === null ? [] : [["Service's standard error", c.serviceLog] as const]),
  ]);
}

export function rulesSection(campaign: Campaign): Markup {
  const reported = campaign.counterexamples.flatMap(({ violations }) => violations);
  return html`<section id="rules">
<h2>Rules checked</h2>
${rulesTable(campaign.rules, reported)}${regressionsTable(campaign)}</section>
`;
}

/** @param reported the violations that the page shows */
export function rulesTable(
  rules: readonly CountedRule[],
  reported: readonly { readonly checker: string; readonly name: string }[],
): Markup {
  const columns: Column[] = [
    { title: "Rule" },
    { title: "Checked", kind: "number" },
    { title: "Violated", kind: "number" },
  ];
  const violatedCell = (rule: CountedRule): Content => {
    if (ruleOutcome(rule, reported) === "violated") {
      const count = rule.violated === 0 ? "in shrinking" : formatNumber(rule.violated);
      return html`<strong class="fail">${count}</strong>`;
    }
    return rule.checked === 0 ? "never checked" : "0";
  };
  const rows = rules.map((rule) => [
    html`<code>${rule.name}</code><br><span class="note">${rule.checker}: ${rule.description}</span>`,
    formatNumber(rule.checked),
    violatedCell(rule),
  ]);
  return table("How often each rule was checked and violated", columns, rows);
}

const REGRESSIONS = {
  fails: html`<strong class="fail">violates its rule again</strong>`,
  fixed: "no longer violates its rule",
  stale: "no longer applies: the service takes other steps",
} as const;

function regressionsTable({ regressions }: Campaign): Markup | undefined {
  if (regressions.length === 0) return undefined;
  const columns: Column[] = [{ title: "Regression" }, { title: "Rule" }, { title: "Result" }];
  const rows = regressions.map(({ file, rule, outcome }) => [
    html`<code>${file}</code>`,
    html`<code>${rule}</code>`,
    REGRESSIONS[outcome],
  ]);
  return html`<h3>Regressions</h3>
${table("Saved counterexamples, which the campaign replayed first", columns, rows)}`;
}

export function exploredSection(campaign: Campaign): Markup {
  const clients = Object.entries(campaign.executionsByClients).map(([count, executions]) => [
    `${count} clients`,
    formatNumber(executions),
  ]);
  return html`<section id="explored">
<h2>What was executed</h2>
${responsesTable(campaign.responses)}
<h3>Clients</h3>
${table("Executions by the number of concurrent clients", [{ title: "Clients" }, { title: "Executions", kind: "number" }], clients)}
${pairTable(campaign.pairs)}${patternTable(campaign.patterns)}${saturationChart(campaign.saturation)}${barChart(
  "Operations together",
  "Executions by the operations in them, in descending order",
  "Operations",
  Object.entries(campaign.mixes).toSorted(([, a], [, b]) => b - a),
)}${barChart(
  "Lock waits",
  "Executions by how often a client waited for a lock",
  "Waits",
  Object.entries(campaign.executionsByWaits),
)}</section>
`;
}

export function responsesTable(responses: Campaign["responses"]): Markup {
  const columns: Column[] = [
    { title: "Operation" },
    { title: "Response" },
    { title: "Count", kind: "number" },
    { title: "Share", kind: "number" },
  ];
  const rows = Object.entries(responses).flatMap(([operation, codes]) => {
    const total = Object.values(codes).reduce((sum, count) => sum + count, 0);
    return Object.entries(codes).map(([code, count]) => [
      html`<code>${operation}</code>`,
      html`<code>${code}</code>`,
      ...countAndShare(count, total),
    ]);
  });
  return table("Responses by operation, with the share of the operation’s calls", columns, rows);
}

function countAndShare(count: number, total: number): readonly Content[] {
  return [formatNumber(count), html`${percent(count / total)}${bar(count / total)}`];
}

/** Nothing if no pairs were searched. */
export function pairTable(pairs: readonly PairSearch[]): Markup | undefined {
  if (pairs.length === 0) return undefined;
  const columns: Column[] = [
    { title: "Pair" },
    { title: "Explored", kind: "number" },
    { title: "Pruned", kind: "number" },
    { title: "Outcomes", kind: "number" },
  ];
  const rows = pairs.map((pair) => {
    const { explored, pruned, outcomes } = pairCells(pair);
    return [
      html`<code>${pair.name}</code>`,
      pair.complete ? explored : html`<strong class="unknown">${explored}</strong>`,
      pruned,
      outcomes,
    ];
  });
  return html`<h3>Pairs of operations</h3>
${table("Interleavings executed; choices left out because their interleavings are equivalent to executed ones (– if the search used no reduction, as with a bound on preemptions); and different outcomes, by responses and final state", columns, rows)}`;
}

const PATTERN_NOTES: { readonly [outcome in PatternOutcome]: Markup } = {
  reached: html`<span class="pass">reached</span>`,
  "too few scenarios": html`<span class="unknown">too few scenarios</span>`,
  missed: html`<strong class="unknown">missed</strong>`,
};

function patternTable(patterns: readonly PatternCount[]): Markup | undefined {
  if (patterns.length === 0) return undefined;
  const columns: Column[] = [
    { title: "Pattern" },
    { title: "Scenarios", kind: "number" },
    { title: "Share", kind: "number" },
    { title: "ServicePromise", kind: "number" },
  ];
  const rows = patterns.map((pattern) => [
    html`<code>${pattern.name}</code><br><span class="note">${pattern.description}</span>`,
    formatNumber(pattern.scenarios),
    html`${percent(pattern.share)}${bar(pattern.share)}`,
    html`${percent(pattern.threshold)}<br>${PATTERN_NOTES[patternOutcome(pattern)]}`,
  ]);
  return html`<h3>Patterns that races need</h3>
${table("How many of the generated scenarios had each pattern, and the minimum share that the generator promises", columns, rows)}<p class="note">A lower share counts as missed if it is lower by more than three standard deviations. Otherwise there are too few scenarios to tell.</p>
`;
}

const MAX_BARS = 12;

function barChart(
  title: string,
  caption: string,
  column: string,
  counts: readonly (readonly [name: string, executions: number])[],
): Markup | undefined {
  if (counts.length === 0) return undefined;
  const sum = (entries: typeof counts) => entries.reduce((total, [, count]) => total + count, 0);
  const total = sum(counts);
  const others = counts.slice(MAX_BARS);
  const rows = [
    ...counts.slice(0, MAX_BARS),
    ...(others.length > 0 ? [[`${others.length} others`, sum(others)] as const] : []),
  ];
  const columns: Column[] = [
    { title: column },
    { title: "Executions", kind: "number" },
    { title: "Share", kind: "number" },
  ];
  return html`<h3>${title}</h3>
${table(
  caption,
  columns,
  rows.map(([name, count]) => [name, ...countAndShare(count, total)]),
)}`;
}

const WIDTH = 600;
const HEIGHT = 160;

function saturationChart(points: Campaign["saturation"]): Markup | undefined {
  const last = points.at(-1);
  if (last === undefined) return undefined;
  const half = points.find(({ executions }) => executions >= last.executions / 2) ?? last;
  const late = last.fingerprints - half.fingerprints;
  const summary = `${quantity(last.fingerprints, "fingerprint")} in ${quantity(last.executions, "execution")}; ${formatNumber(late)} of them first occurred in the second half.`;
  const line = points
    .map(({ executions, fingerprints }) => {
      const x = (executions / last.executions) * WIDTH;
      const y = HEIGHT - (fingerprints / last.fingerprints) * HEIGHT;
      return `${x.toFixed(1)} ${y.toFixed(1)}`;
    })
    .join("L");
  return html`<h3>New fingerprints over time</h3>
<p>${summary}</p>
<div class="scroll picture" tabindex="0" role="group" aria-label="New fingerprints over time"><svg viewBox="-4 -8 ${WIDTH + 12} ${HEIGHT + 34}" width="${WIDTH + 12}" role="img" aria-label="${summary}">
<path class="task" d="M0 0V${HEIGHT}H${WIDTH}"/><path class="curve" d="M0 ${HEIGHT}L${line}"/>
<text class="at" x="6" y="4">${quantity(last.fingerprints, "fingerprint")}</text><text class="at" x="${WIDTH}" y="${HEIGHT + 16}" text-anchor="end">${quantity(last.executions, "execution")}</text>
</svg></div>
<p class="note">A fingerprint is which operations ran, the response to each, and how often its client waited for a lock. If the curve is flat at its end, more executions of the same kind would show little that is new. A flat stretch before the end can be a few scenarios in many interleavings; the curve rises again with the next scenarios.</p>
`;
}

export function controlSection({ coverage, controlled, uncontrolled }: Campaign): Markup {
  return html`<section id="control">
<h2>Coverage and control</h2>
${coverage.length === 0 ? undefined : html`<h3>Covered</h3>\n${list(coverage)}`}
<h3>Controlled</h3>
${list(controlled)}
<h3>Not controlled</h3>
${list(uncontrolled)}</section>
`;
}

export function environmentSection(c: Campaign): Markup {
  const { environment: e, hashes, routines } = c;
  const facts: readonly (readonly [string, Content])[] = [
    ["Heddle", e.heddle],
    ["PostgreSQL", `${e.postgres.version} (${e.postgres.provider})`],
    ["Lock waits", e.postgres.lockWaits === "pushed" ? "reported by the server" : "polled"],
    ["Node.js", e.node],
    ["Machine", `${e.platform}, ${e.cpus} CPUs`],
    ["Seed", html`<code>${c.seed}</code>`],
    ["Strategy", c.strategy],
    ...settingFacts(c),
    ["Gates", c.control.gates.join(", ")],
    ["Isolation", c.control.isolation],
    ["Started", c.startedAt],
    ["Digest", html`<code class="hash">${c.digest}</code>`],
  ];
  return html`<section id="environment">
<h2>Environment and sources</h2>
${factList(facts)}<p class="note">The digest covers every scenario, schedule, statement, response and violation: campaigns with equal digests observed the same.</p>
${hashTable("Sources of the schema, the model and the service", hashes)}${hashTable("Routines of the schema, before instrumentation", routines)}</section>
`;
}

function settingFacts({ settings, control }: Campaign): readonly (readonly [string, Content])[] {
  const { runs, timeMs, scenarios, pairs, preemptions, faults, checkers } = settings;
  const limits = [
    ...(pairs ? ["each pair of operations"] : []),
    ...(scenarios === null ? [] : [quantity(scenarios, "scenario")]),
    ...(runs === null ? [] : [quantity(runs, "execution")]),
    ...(timeMs === null ? [] : [duration(timeMs)]),
  ];
  return [
    ["Limits", limits.join(", ")],
    ["Preemptions in a search", preemptions === null ? "no bound" : `at most ${preemptions}`],
    ["Faults enabled", faults.join(", ") || "none"],
    ["Checkers", checkers.join(", ")],
    [
      "Invariants checked",
      control.observe === undefined ? "after each execution" : "after each commit and execution",
    ],
  ];
}

function hashTable(title: string, hashes: Campaign["hashes"]): Markup | undefined {
  const rows = Object.entries(hashes).map(([name, hash]) => [
    html`<code class="hash">${name}</code>`,
    html`<code class="hash">${hash}</code>`,
  ]);
  if (rows.length === 0) return undefined;
  return detailsOf(
    `${title} (${rows.length})`,
    table(title, [{ title: "Name" }, { title: "SHA-256" }], rows),
  );
}
