import type { Response } from "../../core/history.ts";
import { prettyJson } from "../../core/json.ts";
import { clientOf } from "../../core/schedule.ts";
import type { Result } from "../../core/trace.ts";
import { number } from "../counted.ts";
import {
  brokenLine,
  clientTask,
  faultLine,
  operationLine,
  placeLine,
  responseLine,
  resultLine,
  statementLine,
  taskName,
  valuesLine,
} from "../one-line.ts";
import {
  clientsIn,
  MOST_STEPS,
  type Step,
  type TimelineAnswer,
  type TimelineEvent,
  timeline,
} from "../timeline.ts";
import { type Content, html, type Markup } from "./markup.ts";

const BODY_LENGTH = 300;

/**
 * The space-time diagram as a table: a row for each step, a column for each client, and one for
 * the background if anything happened there. The roles are spelled out because the phone's layout
 * takes the cells out of the table, and with it their meaning.
 */
export function timelineTable(told: TimelineAnswer, clients: number, caption: string): Markup {
  const steps = timeline(told);
  const inBackground = (step: Step) => step.happenings.some((h) => clientOf(h.task) < 0);
  const columns = [...clientsIn(steps, clients), ...(steps.some(inBackground) ? [-1] : [])];
  const heads = columns.map((client) => {
    return html`<th scope="col" role="columnheader">${capital(taskName(clientTask(client)))}</th>`;
  });
  return html`<table class="timeline" role="table">
<caption>${caption}</caption>
<thead role="rowgroup"><tr role="row"><th scope="col" role="columnheader" class="step">Step</th>${heads}</tr></thead>
<tbody role="rowgroup">
${steps.slice(0, MOST_STEPS).map((step) => row(step, columns))}</tbody>
</table>
${steps.length > MOST_STEPS ? html`<p class="note">${number(steps.length - MOST_STEPS)} more steps: <code>heddle replay</code> prints them.</p>\n` : undefined}`;
}

function row(step: Step, columns: readonly number[]): Markup {
  const cells = columns.map((client) => {
    const moves = clientOf(step.task) === client;
    const states = [moves ? "moves" : "", step.inTransaction.has(client) ? "transaction" : ""];
    const left = moves ? preempts(step) : undefined;
    const happened = step.happenings.filter((h) => clientOf(h.task) === client).map(shown);
    return html`<td role="cell" class="${states.join(" ").trim()}" data-task="${capital(taskName(clientTask(client)))}">${left}${happened}</td>`;
  });
  return html`<tr role="row"><th scope="row" role="rowheader" class="step">${step.number}</th>${cells}</tr>\n`;
}

function preempts(step: Step): Markup | undefined {
  if (step.preempts === undefined) return undefined;
  return html`<p class="preempts">preempts ${taskName(clientTask(step.preempts))}</p>`;
}

function shown(happening: TimelineEvent): Markup {
  switch (happening.type) {
    case "operation":
      return html`<p>sends <code>${operationLine(happening.operation)}</code></p>`;
    case "statement": {
      const values = valuesLine(happening.statement);
      return html`<p>${connection(happening)}<code>${statementLine(happening.statement)}</code></p>${
        values === "" ? undefined : html`<p class="values"><code>${values}</code></p>`
      }${happening.result && result(happening.result)}`;
    }
    case "wait":
      return html`<p class="waits">${connection(happening)}waits for ${happening.for.map(taskName).join(" and ")}</p>`;
    case "fault":
      return html`<p class="fault">${connection(happening)}${faultLine(happening)}</p>`;
    case "gate":
      return html`<p class="gate">${connection(happening)}stands in <code>${placeLine(happening.place)}</code></p>`;
    case "result":
      return html`<p>${connection(happening)}${happening.waited ? "waits no longer" : "is done"}: <code>${firstWords(happening.statement.sql)}</code></p>${result(happening.result)}`;
    case "deliver":
      return html`<p>${connection(happening)}hears the answer</p>`;
    case "response":
      return response(happening.response);
    case "broken":
      return html`<p class="error">${brokenLine(happening)}</p>`;
  }
}

/** Names the connection where a client uses more than one at a time. */
function connection(happening: TimelineEvent): Content {
  return happening.task.includes(".") ? html`<em>${taskName(happening.task)}:</em> ` : undefined;
}

function result(answer: Result): Markup {
  const kind = answer.error ? "error" : answer.tags.includes("COMMIT") ? "commits" : "";
  return html`<p class="result ${kind}">${resultLine(answer)}</p>`;
}

function response(answer: Response): Markup {
  const body = prettyJson(answer.body, Number.POSITIVE_INFINITY);
  const short = body.length <= BODY_LENGTH ? body : `${body.slice(0, BODY_LENGTH)}…`;
  const kind = (answer.status ?? 0) >= 500 || answer.outcome === "info" ? "error" : "";
  return html`<p>is answered <strong class="${kind}">${responseLine(answer)}</strong></p><p class="body"><code>${short}</code></p>`;
}

function firstWords(sql: string): string {
  const words = statementLine({ sql, values: [] }).split(" ");
  return words.length <= 4 ? words.join(" ") : `${words.slice(0, 4).join(" ")} …`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
