import type { Response } from "../../core/history.ts";
import { prettyJson } from "../../core/json.ts";
import { clientOf } from "../../core/schedule.ts";
import type { Result } from "../../core/trace.ts";
import { beginning, capitalized, formatNumber } from "../format-values.ts";
import {
  clientsIn,
  MAX_PAGE_STEPS,
  type Step,
  type TimelineEvent,
  type TimelineSource,
  timeline,
  usesBackground,
} from "../timeline.ts";
import {
  brokenLine,
  type ClientNames,
  clientTask,
  faultLine,
  operationLine,
  placeLine,
  privateTitle,
  responseLine,
  resultLine,
  statementEnd,
  statementLine,
  taskName,
  taskNames,
  valuesLine,
} from "../trace-lines.ts";
import { type Content, html, type Markup } from "./markup.ts";

const MAX_BODY_LENGTH = 300;
const MAX_SQL_WORDS = 4;

/**
 * The space-time diagram as a table: a row for each step, a column for each client, and one for the
 * background if it has events. The roles are explicit because the layout for phones takes the cells
 * out of the table, and browsers then drop the implicit roles.
 */
export function timelineTable(source: TimelineSource, clients: number, caption: string): Markup {
  const steps = timeline(source);
  const columns = [...clientsIn(steps, clients), ...(usesBackground(steps) ? [-1] : [])];
  const heads = columns.map(
    (client) => html`<th scope="col" role="columnheader">${columnTitle(client, source.names)}</th>`,
  );
  const omitted = steps.length - MAX_PAGE_STEPS;
  return html`<table class="timeline" role="table">
<caption>${caption}</caption>
<thead role="rowgroup"><tr role="row"><th scope="col" role="columnheader" class="step">Step</th>${heads}</tr></thead>
<tbody role="rowgroup">
${steps.slice(0, MAX_PAGE_STEPS).map((step) => stepRow(step, columns, source.names))}</tbody>
</table>
${omitted > 0 ? html`<p class="note">${formatNumber(omitted)} more steps: <code>heddle replay</code> prints them.</p>\n` : undefined}`;
}

function columnTitle(client: number, names: ClientNames | undefined): string {
  return capitalized(taskName(clientTask(client), names));
}

function stepRow(step: Step, columns: readonly number[], names: ClientNames | undefined): Markup {
  const cells = columns.map((client) => {
    const chosen = clientOf(step.task) === client;
    const classes = [chosen ? "moves" : "", step.inTransaction.has(client) ? "transaction" : ""];
    const events = step.events
      .filter((event) => clientOf(event.task) === client)
      .map((event) => eventMarkup(event, names));
    return html`<td role="cell" class="${classes.join(" ").trim()}" data-task="${columnTitle(client, names)}">${chosen ? preemption(step, names) : undefined}${events}</td>`;
  });
  return html`<tr role="row"><th scope="row" role="rowheader" class="step">${step.number}</th>${cells}</tr>\n`;
}

function preemption({ preempts }: Step, names: ClientNames | undefined): Markup | undefined {
  if (preempts === undefined) return undefined;
  return html`<p class="preempts">preempts ${taskName(clientTask(preempts), names)}</p>`;
}

function eventMarkup(event: TimelineEvent, names: ClientNames | undefined): Markup {
  switch (event.type) {
    case "operation":
      return html`<p>sends <code>${operationLine(event.operation)}</code></p>`;
    case "statement": {
      const values = valuesLine(event.statement);
      return html`<p>${connectionName(event, names)}<code>${statementLine(event.statement)}</code></p>${
        values === "" ? undefined : html`<p class="values"><code>${values}</code></p>`
      }${event.result && resultMarkup(event.result)}`;
    }
    case "private":
      return html`<details class="private"><summary>${connectionName(event, names)}${privateTitle(event.statements)}</summary>${event.statements.map(
        ({ statement, result }) =>
          html`<p><code>${statementLine(statement)} ${valuesLine(statement)}</code></p>${resultMarkup(result)}`,
      )}</details>`;
    case "wait":
      return html`<p class="waits">${connectionName(event, names)}waits for a lock of ${taskNames(event.for, names)}</p>`;
    case "fault":
      return html`<p class="fault">${connectionName(event, names)}${faultLine(event, names)}</p>`;
    case "gate":
      return html`<p class="gate">${connectionName(event, names)}stops in <code>${placeLine(event.place)}</code></p>`;
    case "result":
      return html`<p>${connectionName(event, names)}${statementEnd(event.waited, event.result)}: <code>${firstWords(event.statement.sql)}</code></p>${resultMarkup(event.result)}`;
    case "deliver":
      return html`<p>${connectionName(event, names)}receives the result</p>`;
    case "response":
      return responseMarkup(event.response);
    case "broken":
      return html`<p class="error">${brokenLine(event)}</p>`;
  }
}

/** Names the connection if it is not the client's first. */
function connectionName({ task }: TimelineEvent, names: ClientNames | undefined): Content {
  return task.includes(".") ? html`<em>${taskName(task, names)}:</em> ` : undefined;
}

function resultMarkup(result: Result): Markup {
  const kind = result.error ? "error" : result.tags.includes("COMMIT") ? "commits" : "";
  return html`<p class="result ${kind}">${resultLine(result)}</p>`;
}

function responseMarkup(response: Response): Markup {
  const body = prettyJson(response.body, Number.POSITIVE_INFINITY);
  const short = body.length <= MAX_BODY_LENGTH ? body : `${beginning(body, MAX_BODY_LENGTH)}…`;
  const kind = (response.status ?? 0) >= 500 || response.outcome === "info" ? "error" : "";
  return html`<p>gets the response <strong class="${kind}">${responseLine(response)}</strong></p><p class="body"><code>${short}</code></p>`;
}

function firstWords(sql: string): string {
  const words = statementLine({ sql, values: [] }).split(" ");
  const short = words.slice(0, MAX_SQL_WORDS).join(" ");
  return words.length <= MAX_SQL_WORDS ? short : `${short} …`;
}
