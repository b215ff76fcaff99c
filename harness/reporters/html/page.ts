import type { Verdict } from "../../core/verdict.ts";
import type { Provenance } from "../../explorer/campaign.ts";
import { dateAndMinute, shortList } from "../format-values.ts";
import { type Content, html, type Markup } from "./markup.ts";
import { STYLE } from "./style.ts";

export interface Page {
  readonly title: string;
  readonly header: Content;
  readonly main: Content;
  readonly footer: string;
}

/**
 * A page in one file, without scripts. Its content security policy forbids the browser to fetch
 * anything, whatever the data hold.
 */
export function page({ title, header, main, footer }: Page): string {
  const style: Markup = { markup: STYLE };
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<meta name="color-scheme" content="light dark">
<title>${title} · Heddle</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<header>
${header}</header>
<main>
${main}</main>
<footer><p class="note">${footer}</p></footer>
</body>
</html>
`.markup;
}

export const HEADLINES = {
  pass: "Pass: no violation found",
  fail: "Fail: violation found",
  unknown: "Unknown",
} as const;

/** The header of a report: its kind, the service, the verdict, and links to the sections. */
export function reportHeader({
  kind,
  title,
  verdict,
  sentence,
  sections,
}: {
  readonly kind: string;
  readonly title: string;
  readonly verdict: Verdict;
  readonly sentence: string;
  readonly sections: readonly (readonly [id: string, title: string])[];
}): Markup {
  const links = sections.map(([id, text]) => html`<li><a href="#${id}">${text}</a></li>\n`);
  return html`<p class="eyebrow">${kind}</p>
<h1>${title}</h1>
<div class="verdict ${verdict}"><strong>${HEADLINES[verdict]}</strong>
<p>${sentence}</p></div>
<nav aria-label="Contents"><ul>
${links}</ul></nav>
`;
}

/**
 * When, where and how a record was made, and whether from the same sources as the page.
 *
 * @param how the settings of the command that made it
 * @param hashes of the sources of the page; the record's own object if the page is about the record
 */
export function provenanceNote(
  record: Provenance,
  how: string,
  hashes: Provenance["hashes"],
): Markup {
  const { startedAt, environment: e } = record;
  const changed = [...new Set([...Object.keys(record.hashes), ...Object.keys(hashes)])]
    .filter((path) => record.hashes[path] !== hashes[path])
    .sort();
  const made = `${how}; ${dateAndMinute(startedAt)}; PostgreSQL ${e.postgres.version} (${e.postgres.provider}), Heddle ${e.heddle}, ${e.cpus} CPUs.`;
  const same = record.hashes === hashes ? "" : " Made from the same sources as this report.";
  return changed.length === 0
    ? html`<p class="note">${made}${same}</p>
`
    : html`<p class="note">${made}</p>
<div class="verdict unknown"><p><strong class="unknown">Out of date:</strong> made from other sources than this report. ${shortList(changed)} ${changed.length === 1 ? "differs" : "differ"}.</p></div>
`;
}
