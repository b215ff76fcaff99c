import type { Counterexample } from "../../core/counterexample.ts";
import type { Json, JsonObject } from "../../core/json.ts";
import { prettyJson } from "../../core/json.ts";
import { formatSchedule } from "../../core/schedule.ts";
import type { Violation } from "../../core/verdict.ts";
import { encodeToken } from "../../explorer/token.ts";
import { anomalySentence } from "../anomaly.ts";
import { capitalized, formatNumber, quantity } from "../format-values.ts";
import { narrative, type Paragraph } from "../narrative.ts";
import { orderTexts } from "../order-lines.ts";
import {
  counterexampleSize,
  mainViolation,
  replayCommandIn,
  replayFileName,
  sizeBeforeShrinking,
} from "../replay-command.ts";
import type { TimelineSource } from "../timeline.ts";
import { clientTask, MAX_EVIDENCE, operationLine, taskName } from "../trace-lines.ts";
import { detailsOf, html, type Markup, table } from "./markup.ts";
import { spaceTimeDiagram } from "./space-time.ts";
import { timelineTable } from "./timeline.ts";

/** Limits that keep the page small. A token cannot be cut, so a long one is left out. */
const MAX_INITIAL_LINES = 200;
const MAX_TOKEN_LENGTH = 2_000;
const MAX_PARAGRAPHS = 60;

const TIMELINE_CAPTION =
  "One row for each step, from top to bottom. The scheduler chose the client with the shaded cell. A thick line marks a client with an open transaction. A preempted client could have continued.";

/** A counterexample in full. `at` is its position in the report, from 0. */
export function counterexampleArticle(c: Counterexample, at: number, folder: string): Markup {
  const anomaly = anomalySentence(c.trace, c.names);
  const file = replayFileName(c);
  const main = mainViolation(c);
  return html`<article class="counterexample" id="counterexample-${at + 1}">
<h3>${at + 1}. <code>${main.name}</code></h3>
<p class="note">${counterexampleSize(c)}. ${originSentence(c)} ${shrinkingSentence(c)}</p>
${violationBlock(main)}${
  anomaly === undefined
    ? ""
    : html`<p class="note">${anomaly}</p>
`
}${c.unrepeated && html`<p class="note">${c.unrepeated.why}</p>\n`}${furtherViolations(c.violations.slice(1))}
<h4>What happened</h4>
<ol class="narrative">
${paragraphs(narrative(c))}</ol>
${spaceTimeDiagram(c)}${c.serial && serialRun({ ...c.serial, ...(c.names && { names: c.names }) })}<h4>Replay it</h4>
<code class="command">${replayCommandIn(folder, c)}</code>
<p class="note">Run it in the folder in which the campaign ran. The file is <a href="${file}">${file}</a>, beside this report.</p>
<h4>Scenario and schedule</h4>
<dl class="facts">
${c.scenario.clients.map(
  (operations, client) =>
    html`<dt>${capitalized(taskName(clientTask(client), c.names))}</dt><dd>${operations.map(
      (operation) => html`<div><code>${operationLine(operation)}</code></div>`,
    )}</dd>\n`,
)}${initialState(c.scenario.initial)}<dt>Schedule</dt><dd><code>${formatSchedule(c.schedule)}</code></dd>
${tokenFact(encodeToken(c))}</dl>
<h4>Step by step</h4>
${timelineTable(c, c.scenario.clients.length, TIMELINE_CAPTION)}
</article>
`;
}

/** The violation and the replay command only. */
export function counterexampleSummary(c: Counterexample, at: number, folder: string): Markup {
  const { name, checker, message } = mainViolation(c);
  return html`<article class="counterexample" id="counterexample-${at + 1}">
<h3>${at + 1}. <code>${name}</code></h3>
<p>(${checker}): ${message}</p>
<code class="command">${replayCommandIn(folder, c)}</code>
</article>
`;
}

function serialRun(serial: TimelineSource): Markup {
  return html`<h4>The same operations, one after the other</h4>
<p class="note">Executed in this order, they do not violate the rule.</p>
<ol class="narrative">
${paragraphs(narrative(serial))}</ol>
`;
}

/** The first paragraphs and the last one. */
function paragraphs(all: readonly Paragraph[]): readonly Markup[] {
  if (all.length <= MAX_PARAGRAPHS) return all.map(paragraph);
  const omitted = html`<li>… (${formatNumber(all.length - MAX_PARAGRAPHS)} more)</li>\n`;
  return [
    ...all.slice(0, MAX_PARAGRAPHS - 1).map(paragraph),
    omitted,
    ...all.slice(-1).map(paragraph),
  ];
}

function paragraph({ from, to, text }: Paragraph): Markup {
  const steps = from === to ? `step ${to}` : `steps ${from} to ${to}`;
  const parts = text
    .split("`")
    .map((part, at) => (at % 2 === 1 ? html`<code>${part}</code>` : part));
  return html`<li>${parts} <span class="note">(${steps})</span></li>\n`;
}

/** Nothing for a scenario without an initial state of its own. */
function initialState(initial: Json): Markup | undefined {
  if (initial === null) return undefined;
  const lines = prettyJson(initial, 80).split("\n");
  const shown = lines.slice(0, MAX_INITIAL_LINES);
  if (lines.length > MAX_INITIAL_LINES) shown.push("…");
  return html`<dt>Initial state</dt><dd><pre><code>${shown.map((line) => html`${line}\n`)}</code></pre></dd>
`;
}

function tokenFact(token: string): Markup | undefined {
  if (token.length > MAX_TOKEN_LENGTH) return undefined;
  return html`<dt>Token</dt><dd><code>${token}</code></dd>
`;
}

function shrinkingSentence(c: Counterexample): string {
  const { shrunk } = c;
  if (shrunk.executions === 0) return "Not shrunk.";
  const before = sizeBeforeShrinking(c);
  const executions = quantity(shrunk.executions, "execution");
  const end = shrunk.minimal
    ? "no smaller counterexample is left to try"
    : "shrinking reached its budget, so a smaller counterexample can exist";
  return `${before === undefined ? "Not made smaller" : `Shrunk from ${before}`} in ${executions}; ${end}.`;
}

function furtherViolations(violations: readonly Violation[]): Markup | undefined {
  if (violations.length === 0) return undefined;
  const names = violations.map(({ name }, at) => [
    at === 0 ? "" : ", ",
    html`<code>${name}</code>`,
  ]);
  return detailsOf(html`It also violates ${names}`, violations.map(violationBlock));
}

/** A violation with the rows that show it. */
export function violationBlock(violation: Violation): Markup {
  const orders = orderTexts(violation).map(
    ({ title, lines }) =>
      html`<p>${title}</p><ul>${lines.map((line) => html`<li><code>${line}</code></li>`)}</ul>`,
  );
  return html`${evidenceBlock(violation)}${orders}`;
}

function evidenceBlock({ name, checker, message, evidence }: Violation): Markup {
  const title = html`<p class="violated"><strong class="fail"><code>${name}</code></strong> (${checker}): ${message}</p>`;
  if (evidence.length === 0) return title;
  const keys = [...new Set(evidence.flatMap((row) => Object.keys(row)))];
  const cells = evidence
    .slice(0, MAX_EVIDENCE)
    .map((row) => keys.map((key) => html`<code>${evidenceCell(row, key)}</code>`));
  const caption =
    evidence.length > MAX_EVIDENCE
      ? `Evidence: the first ${MAX_EVIDENCE} of ${formatNumber(evidence.length)} rows`
      : "Evidence";
  return html`${title}${table(
    caption,
    keys.map((key) => ({ title: key })),
    cells,
  )}`;
}

function evidenceCell(row: JsonObject, key: string): string {
  const value = row[key];
  if (value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

function originSentence({ regression, execution, seed }: Counterexample): string {
  return regression === undefined
    ? `Found in execution ${formatNumber(execution)} of seed ${seed}.`
    : `The stored regression ${regression} violates its rule again.`;
}
