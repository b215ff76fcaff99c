import { beginning, formatNumber, printable } from "../format-values.ts";
import type { Column } from "../terminal.ts";

/** Well-formed HTML. Only `html` creates it, except for constants of the page's own. */
export interface Markup {
  readonly markup: string;
}

/** The values of a template: text is escaped, markup is inserted, and `undefined` is left out. */
export type Content = Markup | string | number | undefined | readonly Content[];

/**
 * A template for HTML. Escapes each value that is no `Markup`, in text and in double-quoted
 * attributes, and cuts long texts. Do not insert values into a script, a style or an unquoted
 * attribute.
 */
export function html(texts: TemplateStringsArray, ...contents: Content[]): Markup {
  const rest = contents.map((content, at) => render(content) + (texts[at + 1] ?? ""));
  return { markup: (texts[0] ?? "") + rest.join("") };
}

function render(content: Content): string {
  if (content === undefined) return "";
  if (typeof content === "number") return String(content);
  if (typeof content === "string") return escapeHtml(printable(cut(content)));
  if ("markup" in content) return content.markup;
  return content.map(render).join("");
}

/** In characters. The limits keep a page small, whatever a campaign finds. */
const MAX_TEXT = 4_000;
const MAX_ROWS = 500;

function cut(text: string): string {
  return text.length <= MAX_TEXT ? text : `${beginning(text, MAX_TEXT)}…`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/**
 * A table that scrolls if it is too wide, by keyboard too. It has the role `group`, not `region`: a
 * landmark for each table would make the landmarks of the page useless. The first cell of a row is its
 * header.
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
  const omitted = rows.length - MAX_ROWS;
  const last =
    omitted > 0 ? [[`${formatNumber(omitted)} more`, ...columns.slice(1).map(() => "")]] : [];
  const body = [...rows.slice(0, MAX_ROWS), ...last].map((row) => {
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

export function list(items: readonly Content[]): Markup {
  return html`<ul>${items.map((item) => html`<li>${item}</li>\n`)}</ul>`;
}

/** Terms with their values. */
export function factList(facts: readonly (readonly [term: string, value: Content])[]): Markup {
  return html`<dl class="facts">
${facts.map(([term, value]) => html`<dt>${term}</dt><dd>${value}</dd>\n`)}</dl>
`;
}

/** Counts in one row. */
export function figureList(figures: readonly (readonly [name: string, value: Content])[]): Markup {
  return html`<dl class="figures">
${figures.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>\n`)}</dl>
`;
}

/** A bar for a share from 0 to 1, below its number. */
export function bar(share: number): Markup {
  const width = Math.round(Math.min(Math.max(share, 0), 1) * 100);
  return html`<span class="bar" aria-hidden="true"><i style="width:${width}%"></i></span>`;
}

export function detailsOf(
  summary: Content,
  content: Content,
  { open = false }: { readonly open?: boolean } = {},
): Markup {
  const attribute: Markup = { markup: open ? " open" : "" };
  return html`<details${attribute}>
<summary>${summary}</summary>
${content}</details>
`;
}
