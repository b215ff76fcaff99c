import { number } from "../counted.ts";
import { type Content, html, type Markup } from "./markup.ts";

export interface Column {
  readonly title: string;
  readonly kind?: "number";
}

/** More than these nobody reads on a page; programs have all of them. */
const MOST_ROWS = 500;

/**
 * A table that scrolls by itself where it is too wide, by keyboard too. It is a group and no region: a
 * page with a landmark for each table has none worth going to. The first cell of a row heads the row.
 */
export function table(
  caption: string,
  columns: readonly Column[],
  rows: readonly (readonly Content[])[],
): Markup {
  const kinds = columns.map((column) => column.kind ?? "text");
  const head = columns.map(
    ({ title }, at) => html`<th scope="col" class="${kinds[at]}">${title}</th>`,
  );
  const left = rows.length - MOST_ROWS;
  const last = left > 0 ? [[`${number(left)} more`, ...columns.slice(1).map(() => "")]] : [];
  const body = [...rows.slice(0, MOST_ROWS), ...last].map((row) => {
    const cells = row.map((cell, at) =>
      at === 0
        ? html`<th scope="row" class="${kinds[at]}">${cell}</th>`
        : html`<td class="${kinds[at]}">${cell}</td>`,
    );
    return html`<tr>${cells}</tr>\n`;
  });
  return html`<div class="scroll" tabindex="0" role="group" aria-label="${caption}"><table>
<caption>${caption}</caption>
<thead><tr>${head}</tr></thead>
<tbody>
${body}</tbody>
</table></div>
`;
}
