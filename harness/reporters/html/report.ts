import type { Counterexample } from "../../core/counterexample.ts";
import type { Campaign } from "../../explorer/campaign.ts";
import type { Records } from "../records.ts";
import { serviceName, verdictSentence } from "../verdict-sentence.ts";
import {
  campaignFigures,
  controlSection,
  environmentSection,
  exploredSection,
  rulesSection,
} from "./campaign.ts";
import { counterexampleArticle, counterexampleSummary } from "./counterexample.ts";
import { scoreSection } from "./derived-mutants.ts";
import { layersSection } from "./layers.ts";
import { html, type Markup } from "./markup.ts";
import { HEADLINES, page, reportHeader } from "./page.ts";
import { seededBugsSection } from "./seeded-bugs.ts";

/**
 * `report.html` of a campaign.
 *
 * @param folder where the report is written; the replay commands name it
 * @param records the results of other commands about the service
 */
export function reportHtml(campaign: Campaign, folder: string, records: Records = {}): string {
  const { counterexamples, verdict, hashes } = campaign;
  const { seeded, derived, layers } = records;
  const sections = [
    { id: "counterexamples", title: "Counterexamples", if: counterexamples.length > 0 },
    { id: "rules", title: "Rules checked" },
    { id: "explored", title: "What was executed" },
    { id: "seeded", title: "Seeded bugs", if: seeded !== undefined },
    { id: "derived", title: "Derived mutants", if: derived !== undefined },
    { id: "layers", title: "Layers of defence", if: layers !== undefined },
    { id: "control", title: "Coverage and control" },
    { id: "environment", title: "Environment and sources" },
  ];
  return page({
    title: `${HEADLINES[verdict]} · ${serviceName(campaign)}`,
    header: reportHeader({
      kind: "Heddle verification report",
      title: serviceName(campaign),
      verdict,
      sentence: verdictSentence(campaign),
      sections: sections.flatMap(({ id, title, if: present = true }) =>
        present ? [[id, title] as const] : [],
      ),
    }),
    main: html`${campaignFigures(campaign)}${counterexampleSection(campaign, folder)}${rulesSection(campaign)}${exploredSection(campaign)}${seeded && seededBugsSection(seeded, hashes)}${derived && scoreSection(derived, hashes)}${layers && layersSection(layers, hashes)}${controlSection(campaign)}${environmentSection(campaign)}`,
    footer:
      "An execution is one run of a scenario on a real PostgreSQL, one step at a time, in an order that the scheduler chose. A preemption is a step of one client while the client of the step before could have continued. For machines, the same is in report.json.",
  });
}

function counterexampleSection(campaign: Campaign, folder: string): Markup | undefined {
  const { counterexamples } = campaign;
  if (counterexamples.length === 0) return undefined;
  return html`<section id="counterexamples">
<h2>${counterexamples.length === 1 ? "Counterexample" : `Counterexamples (${counterexamples.length})`}</h2>
${articles(counterexamples, folder)}</section>
`;
}

/** The size of all counterexamples on a page, in characters. */
const MAX_SIZE = 1_000_000;

/** The first counterexample in full, the next ones as long as the page stays small, the others short. */
function articles(counterexamples: readonly Counterexample[], folder: string): readonly Markup[] {
  let room = MAX_SIZE;
  return counterexamples.map((c, at) => {
    const article = room > 0 ? counterexampleArticle(c, at, folder) : undefined;
    room -= article?.markup.length ?? 0;
    const fits = article !== undefined && (at === 0 || room >= 0);
    return fits ? article : counterexampleSummary(c, at, folder);
  });
}
