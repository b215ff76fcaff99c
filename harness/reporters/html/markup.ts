import { printable } from "../printable.ts";

/** HTML that is well-formed and safe as it stands. Only `html` makes it. */
export interface Markup {
  readonly markup: string;
}

/** What a template may hold: text is escaped, markup goes in as it is, `undefined` is left out. */
export type Content = Markup | string | number | undefined | readonly Content[];

/**
 * Template for HTML. Whatever is put in is escaped, in text and in double-quoted attributes alike,
 * unless it is `Markup` itself; a text that is longer than anybody reads is cut. Nothing may be put into a script, a style or an unquoted attribute.
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

/** In characters: a page opens at once, whatever is on it. */
const MOST_TEXT = 4_000;

function cut(text: string): string {
  return text.length <= MOST_TEXT ? text : `${text.slice(0, MOST_TEXT)}…`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
