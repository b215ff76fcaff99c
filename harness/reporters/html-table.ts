import { type Content, html, type Markup } from "./html-markup.ts";

export interface Column {
  readonly title: string;
  readonly kind?: "number";
}

/** A table that scrolls by itself where it is too wide. The first cell of a row heads the row. */
export function table(
  caption: string,
  columns: readonly Column[],
  rows: readonly (readonly Content[])[],
): Markup {
  const kinds = columns.map((column) => column.kind ?? "text");
  const head = columns.map(
    ({ title }, at) => html`<th scope="col" class="${kinds[at]}">${title}</th>`,
  );
  const body = rows.map((row) => {
    const cells = row.map((cell, at) =>
      at === 0
        ? html`<th scope="row" class="${kinds[at]}">${cell}</th>`
        : html`<td class="${kinds[at]}">${cell}</td>`,
    );
    return html`<tr>${cells}</tr>\n`;
  });
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}"><table>
<caption>${caption}</caption>
<thead><tr>${head}</tr></thead>
<tbody>
${body}</tbody>
</table></div>
`;
}
