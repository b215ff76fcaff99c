import type { Response } from "../core/history.ts";
import { clientOf } from "../core/schedule.ts";
import type { Result } from "../core/trace.ts";
import { number } from "./counted.ts";
import { type Content, html, type Markup } from "./html-markup.ts";
import {
  brokenLine,
  clientLane,
  commandLine,
  faultLine,
  laneName,
  placeLine,
  responseLine,
  resultLine,
  statementLine,
  valuesLine,
} from "./one-line.ts";
import { prettyJson } from "./pretty-json.ts";
import {
  clientsIn,
  type Happening,
  MOST_STEPS,
  type Step,
  type Told,
  timeline,
} from "./timeline.ts";

const BODY_LENGTH = 300;

/**
 * The space-time diagram as a table: a row for each step, a column for each client, and one for
 * the background if anything happened there. The roles are spelled out because the phone's layout
 * takes the cells out of the table, and with it their meaning.
 */
export function timelineTable(told: Told, clients: number, caption: string): Markup {
  const steps = timeline(told);
  const inBackground = (step: Step) => step.happenings.some((h) => clientOf(h.lane) < 0);
  const columns = [...clientsIn(steps, clients), ...(steps.some(inBackground) ? [-1] : [])];
  const heads = columns.map((client) => {
    return html`<th scope="col" role="columnheader">${capital(laneName(clientLane(client)))}</th>`;
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
    const moves = clientOf(step.lane) === client;
    const states = [moves ? "moves" : "", step.inTransaction.has(client) ? "transaction" : ""];
    const left = moves ? preempts(step) : undefined;
    const happened = step.happenings.filter((h) => clientOf(h.lane) === client).map(shown);
    return html`<td role="cell" class="${states.join(" ").trim()}" data-lane="${capital(laneName(clientLane(client)))}">${left}${happened}</td>`;
  });
  return html`<tr role="row"><th scope="row" role="rowheader" class="step">${step.number}</th>${cells}</tr>\n`;
}

function preempts(step: Step): Markup | undefined {
  if (step.preempts === undefined) return undefined;
  return html`<p class="preempts">preempts ${laneName(clientLane(step.preempts))}</p>`;
}

function shown(happening: Happening): Markup {
  switch (happening.type) {
    case "command":
      return html`<p>sends <code>${commandLine(happening.command)}</code></p>`;
    case "statement": {
      const values = valuesLine(happening.statement);
      return html`<p>${connection(happening)}<code>${statementLine(happening.statement)}</code></p>${
        values === "" ? undefined : html`<p class="values"><code>${values}</code></p>`
      }${happening.result && result(happening.result)}`;
    }
    case "wait":
      return html`<p class="waits">${connection(happening)}waits for ${happening.for.map(laneName).join(" and ")}</p>`;
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
function connection(happening: Happening): Content {
  return happening.lane.includes(".") ? html`<em>${laneName(happening.lane)}:</em> ` : undefined;
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
