import type { Provenance } from "../core/campaign.ts";
import { minute } from "./counted.ts";
import { html, type Markup } from "./html-markup.ts";

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
<div class="verdict unknown"><p><strong class="unknown">Out of date:</strong> made of other sources than this report. ${different(changed)}</p></div>
`;
}

/** More of them nobody reads. */
const MOST_NAMES = 6;

function different(paths: readonly string[]): string {
  const rest = paths.length - MOST_NAMES;
  const named = [...paths.slice(0, MOST_NAMES), ...(rest > 0 ? [`${rest} more`] : [])];
  return `${named.join(", ")} ${paths.length === 1 ? "differs" : "differ"}.`;
}
