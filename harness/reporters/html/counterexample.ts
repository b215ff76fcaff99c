import type { Counterexample } from "../../core/counterexample.ts";
import { type Json, type JsonObject, prettyJson } from "../../core/json.ts";
import { operationCount } from "../../core/scenario.ts";
import { formatSchedule } from "../../core/schedule.ts";
import type { Violation } from "../../core/verdict.ts";
import { encodeToken } from "../../explorer/token.ts";
import { anomalyLine } from "../anomaly.ts";
import { counted, number } from "../counted.ts";
import { narrative, type Paragraph } from "../narrative.ts";
import { operationLine } from "../one-line.ts";
import { mainViolation, replayCommand, replayFileName, replayFilePath } from "../replay-command.ts";
import { shrunkFrom } from "../shrunk-from.ts";
import { html, type Markup } from "./markup.ts";
import { spaceTimeDiagram } from "./space-time.ts";
import { table } from "./table.ts";
import { timelineTable } from "./timeline.ts";

/** One counterexample for a reader: what broke, how to see it again, and what happened. */
export function counterexampleArticle(c: Counterexample, at: number, folder: string): Markup {
  const size = `${counted(operationCount(c.scenario), "operation")}, ${counted(c.preemptions, "preemption")}`;
  const anomaly = anomalyLine(c.trace);
  const file = replayFileName(c);
  const main = mainViolation(c);
  return html`<article class="counterexample" id="counterexample-${at + 1}">
<h3>${at + 1}. <code>${main.name}</code></h3>
<p class="note">${size}. Found in execution ${number(c.execution)} of seed ${c.seed}. ${shrinking(c)}</p>
${violated(main)}${
  anomaly === ""
    ? ""
    : html`<p class="note">${anomaly}</p>
`
}${further(c.violations.slice(1))}
<h4>What happened</h4>
<ol class="story">
${paragraphs(narrative(c))}</ol>
${spaceTimeDiagram(c)}${c.serial && serialRun(c.serial)}<h4>Replay it</h4>
<code class="operation">${replayCommand(replayFilePath(folder, c))}</code>
<p class="note">From the folder in which the campaign ran. The file is <a href="${file}">${file}</a>, beside this report.</p>
<h4>What the clients did</h4>
<dl class="facts">
${c.scenario.clients.map(
  (operations, client) =>
    html`<dt>Client ${client}</dt><dd>${operations.map(
      (operation) => html`<div><code>${operationLine(operation)}</code></div>`,
    )}</dd>\n`,
)}${initialState(c.scenario.initial)}<dt>Schedule</dt><dd><code>${formatSchedule(c.schedule)}</code></dd>
${token(encodeToken(c))}</dl>
<h4>Step by step</h4>
${timelineTable(c, c.scenario.clients.length, CAPTION)}
</article>
`;
}

/** The same in a few lines, where a page has no room for more. */
export function counterexampleLine(c: Counterexample, at: number, folder: string): Markup {
  const { name, checker, message } = mainViolation(c);
  return html`<article class="counterexample" id="counterexample-${at + 1}">
<h3>${at + 1}. <code>${name}</code></h3>
<p>(${checker}): ${message}</p>
<code class="operation">${replayCommand(replayFilePath(folder, c))}</code>
</article>
`;
}

const CAPTION =
  "One row for each step, from top to bottom: the shaded client moved. A thick line beside a client means that it has a transaction open. A client that another one preempts could have gone on.";

const MOST_LINES = 200;
const LONGEST_TOKEN = 2_000;
/** Paragraphs of a story, and rows that show what broke. */
const MOST_PARAGRAPHS = 60;
const MOST_EVIDENCE = 30;

/** What the interleaving does is seen best beside a run without it. */
function serialRun(serial: NonNullable<Counterexample["serial"]>): Markup {
  return html`<h4>The same operations, one after the other</h4>
<p class="note">In this order the rule holds.</p>
<ol class="story">
${paragraphs(narrative(serial))}</ol>
`;
}

/** The first ones, and how it ends. */
function paragraphs(all: readonly Paragraph[]): readonly Markup[] {
  if (all.length <= MOST_PARAGRAPHS) return all.map(paragraph);
  const left = all.length - MOST_PARAGRAPHS;
  const more = html`<li>… (${number(left)} more)</li>\n`;
  return [
    ...all.slice(0, MOST_PARAGRAPHS - 1).map(paragraph),
    more,
    ...all.slice(-1).map(paragraph),
  ];
}

function paragraph({ from, to, text }: Paragraph): Markup {
  const steps = from === to ? `step ${to}` : `steps ${from} to ${to}`;
  const words = text
    .split("`")
    .map((part, at) => (at % 2 === 1 ? html`<code>${part}</code>` : part));
  return html`<li>${words} <span class="note">(${steps})</span></li>\n`;
}

/** A scenario that was written down has none of its own. */
function initialState(initial: Json): Markup | undefined {
  if (initial === null) return undefined;
  const lines = prettyJson(initial, 80).split("\n");
  const shown = [...lines.slice(0, MOST_LINES), ...(lines.length > MOST_LINES ? ["…"] : [])];
  return html`<dt>Initial state</dt><dd><pre><code>${shown.map((line) => html`${line}\n`)}</code></pre></dd>
`;
}

/** A part of a token is of no use. */
function token(text: string): Markup | undefined {
  if (text.length > LONGEST_TOKEN) return undefined;
  return html`<dt>Token</dt><dd><code>${text}</code></dd>
`;
}

function shrinking(c: Counterexample): string {
  const { shrunk } = c;
  if (shrunk.executions === 0) return "As it was found.";
  const from = shrunkFrom(c);
  const tried = counted(shrunk.executions, "execution");
  const end = shrunk.minimal
    ? "nothing more can be left out"
    : "the budget ended first, so a smaller one may exist";
  return `${from === undefined ? "Made no smaller" : `Shrunk from ${from},`} in ${tried}; ${end}.`;
}

/** What else it breaks; the rows are for whoever asks. */
function further(violations: readonly Violation[]): Markup | undefined {
  if (violations.length === 0) return undefined;
  const names = violations.map(({ name }) => html`<code>${name}</code>`);
  const listed = names.flatMap((name, at) => (at === 0 ? [name] : [", ", name]));
  return html`<details>
<summary>It also breaks ${listed}</summary>
${violations.map(violated)}</details>
`;
}

function violated(violation: Violation): Markup {
  const { name, checker, message, evidence } = violation;
  const title = html`<p class="violated"><strong class="fail"><code>${name}</code></strong> (${checker}): ${message}</p>`;
  if (evidence.length === 0) return title;
  const keys = [...new Set(evidence.flatMap((row) => Object.keys(row)))];
  const cells = evidence
    .slice(0, MOST_EVIDENCE)
    .map((row) => keys.map((key) => html`<code>${cell(row, key)}</code>`));
  return html`${title}${table(
    evidence.length > MOST_EVIDENCE
      ? `The first ${MOST_EVIDENCE} of ${number(evidence.length)} rows that show it`
      : "The rows that show it",
    keys.map((title) => ({ title })),
    cells,
  )}`;
}

function cell(row: JsonObject, key: string): string {
  const value = row[key];
  if (value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}
