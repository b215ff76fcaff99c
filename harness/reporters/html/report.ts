import type { Counterexample } from "../../core/counterexample.ts";
import type { Campaign } from "../../explorer/campaign.ts";
import type { Records } from "../records.ts";
import { serviceName, verdictSentence } from "../verdict-sentence.ts";
import {
  controlSection,
  environmentSection,
  figures,
  responsesSection,
  rulesSection,
} from "./campaign.ts";
import { counterexampleArticle, counterexampleLine } from "./counterexample.ts";
import { layersSection } from "./layers.ts";
import { html, type Markup } from "./markup.ts";
import { page } from "./page.ts";
import { scoreSection } from "./score.ts";
import { seededBugsSection } from "./seeded.ts";

const HEADLINES = {
  pass: "Pass: no violation found",
  fail: "Fail: violation found",
  unknown: "Unknown",
} as const;

/**
 * `report.html`.
 *
 * @param folder where the report is written to; the replay operations name it
 * @param records what else was found out about the model
 */
export function reportHtml(campaign: Campaign, folder: string, records: Records = {}): string {
  const { counterexamples, verdict, hashes } = campaign;
  const { seeded, derived, layers } = records;
  return page({
    title: `${HEADLINES[verdict]} · ${serviceName(campaign)}`,
    header: html`<p class="eyebrow">Heddle verification report</p>
<h1>${serviceName(campaign)}</h1>
<div class="verdict ${verdict}"><strong>${HEADLINES[verdict]}</strong>
<p>${verdictSentence(campaign)}</p></div>
<nav aria-label="Contents"><ul>
${counterexamples.length === 0 ? undefined : link("counterexamples", "Counterexamples")}${link("rules", "What was checked")}${link("explored", "What was explored")}${seeded && link("seeded", "Seeded bugs")}${derived && link("derived", "Derived mutants")}${layers && link("layers", "Layers of defence")}${link("control", "What was controlled")}${link("environment", "Environment and sources")}</ul></nav>
`,
    main: html`${figures(campaign)}${counterexampleSection(campaign, folder)}${rulesSection(campaign)}${responsesSection(campaign)}${seeded && seededBugsSection(seeded, hashes)}${derived && scoreSection(derived, hashes)}${layers && layersSection(layers, hashes)}${controlSection(campaign)}${environmentSection(campaign)}`,
    footer:
      "An execution is one run of a scenario on a real PostgreSQL, one step at a time in an order that Heddle chose. A preemption leaves a client that could have gone on. Machines read the same in report.json.",
  });
}

function link(id: string, text: string): Markup {
  return html`<li><a href="#${id}">${text}</a></li>\n`;
}

function counterexampleSection(campaign: Campaign, folder: string): Markup | undefined {
  const { counterexamples } = campaign;
  if (counterexamples.length === 0) return undefined;
  return html`<section id="counterexamples">
<h2>${counterexamples.length === 1 ? "Counterexample" : `Counterexamples (${counterexamples.length})`}</h2>
${articles(counterexamples, folder)}</section>
`;
}

/** In characters, of all counterexamples; the page is to open at once. */
const ROOM = 1_000_000;

/** Each in full as long as there is room, the first in any case. */
function articles(all: readonly Counterexample[], folder: string): readonly Markup[] {
  let left = ROOM;
  return all.map((c, at) => {
    const article = left > 0 ? counterexampleArticle(c, at, folder) : undefined;
    left -= article?.markup.length ?? 0;
    const fits = article !== undefined && (at === 0 || left >= 0);
    return fits ? article : counterexampleLine(c, at, folder);
  });
}
