import type { Provenance } from "../../explorer/campaign.ts";
import { listed, minute } from "../counted.ts";
import { html, type Markup } from "./markup.ts";

/**
 * When, where and how something was made, and whether that was of the sources which the page is
 * about.
 */
export function provenanceNote(
  { startedAt, environment: e, hashes }: Provenance,
  how: string,
  others: Provenance["hashes"],
): Markup {
  const changed = [...new Set([...Object.keys(hashes), ...Object.keys(others)])]
    .filter((path) => hashes[path] !== others[path])
    .sort();
  const made = `${how}; ${minute(startedAt)}; PostgreSQL ${e.postgres.version} (${e.postgres.provider}), Heddle ${e.heddle}, ${e.cpus} CPUs.`;
  const same = hashes === others ? "" : " Of the same sources as this report.";
  return changed.length === 0
    ? html`<p class="note">${made}${same}</p>
`
    : html`<p class="note">${made}</p>
<div class="verdict unknown"><p><strong class="unknown">Out of date:</strong> made of other sources than this report. ${listed(changed)} ${changed.length === 1 ? "differs" : "differ"}.</p></div>
`;
}
