import type { Campaign } from "../../explorer/campaign.ts";
import { counted, number, percent } from "../counted.ts";
import { type Content, html, type Markup } from "./markup.ts";
import { type Column, table } from "./table.ts";

/** What was tried how often, at a glance; each chart is a table, so that its numbers can be read. */
export function charts(campaign: Campaign): Markup {
  const { mixes, executionsByWaits } = campaign;
  return html`${saturationChart(campaign.saturation)}${barChart("Operations together", "Executions by the operations that ran in them, most often first", "Operations", mixes)}${barChart("Waits for locks", "Executions by how often a client had to wait", "Waits", executionsByWaits)}`;
}

/** More than these nobody reads; the report in JSON has them all. */
const MOST_BARS = 12;

function barChart(title: string, caption: string, of: string, counts: Counts): Markup | undefined {
  const all = Object.entries(counts);
  if (all.length === 0) return undefined;
  const total = all.reduce((sum, [, count]) => sum + count, 0);
  const sorted = of === "Waits" ? all : all.toSorted(([, a], [, b]) => b - a);
  const shown = sorted.slice(0, MOST_BARS);
  const rest = sorted.slice(MOST_BARS).reduce((sum, [, count]) => sum + count, 0);
  const left = sorted.length - shown.length;
  const rows = [...shown, ...(rest > 0 ? [[`${left} others`, rest] as const] : [])];
  const columns: Column[] = [
    { title: of },
    { title: "Executions", kind: "number" },
    { title: "Share", kind: "number" },
  ];
  const cells = rows.map(([name, count]): Content[] => [
    name,
    number(count),
    html`${percent(count / total)}${bar(count / total)}`,
  ]);
  return html`<h3>${title}</h3>
${table(caption, columns, cells)}`;
}

type Counts = { readonly [name: string]: number };

/** A share at a glance; the number stands beside it. */
export function bar(share: number): Markup {
  const width = Math.round(Math.min(Math.max(share, 0), 1) * 100);
  return html`<span class="bar" aria-hidden="true"><i style="width:${width}%"></i></span>`;
}

const WIDTH = 600;
const HEIGHT = 160;

/** Only its end says what more would bring: while few scenarios are searched, it is flat. */
function saturationChart(points: Campaign["saturation"]): Markup | undefined {
  const last = points.at(-1);
  if (last === undefined) return undefined;
  const half = points.find(({ executions }) => executions >= last.executions / 2) ?? last;
  const late = last.fingerprints - half.fingerprints;
  const said = `${counted(last.fingerprints, "behaviour")} in ${counted(last.executions, "execution")}; ${number(late)} of them first seen in the second half.`;
  const line = points
    .map(({ executions, fingerprints }) => {
      const x = (executions / last.executions) * WIDTH;
      const y = HEIGHT - (fingerprints / last.fingerprints) * HEIGHT;
      return `${x.toFixed(1)} ${y.toFixed(1)}`;
    })
    .join("L");
  return html`<h3>New fingerprints over time</h3>
<p>${said}</p>
<div class="scroll picture" tabindex="0" role="group" aria-label="New fingerprints over time"><svg viewBox="-4 -8 ${WIDTH + 12} ${HEIGHT + 34}" width="${WIDTH + 12}" role="img" aria-label="${said}">
<path class="task" d="M0 0V${HEIGHT}H${WIDTH}"/><path class="curve" d="M0 ${HEIGHT}L${line}"/>
<text class="at" x="6" y="4">${number(last.fingerprints)} fingerprints</text><text class="at" x="${WIDTH}" y="${HEIGHT + 16}" text-anchor="end">${counted(last.executions, "execution")}</text>
</svg></div>
<p class="note">A behaviour is which operations ran, how each was answered, and how often its client had to wait. Where the curve ends flat, more of what was done last would hardly show anything new. Flat stretches before its end may be a few scenarios in many orders; with others it rises again.</p>
`;
}
