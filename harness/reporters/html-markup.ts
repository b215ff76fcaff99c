import { printable } from "./printable.ts";

/** HTML that is well-formed and safe as it stands. Only `html` makes it. */
export interface Markup {
  readonly markup: string;
}

/** What a template may hold: text is escaped, markup goes in as it is, `undefined` is left out. */
export type Content = Markup | string | number | undefined | readonly Content[];

/**
 * Template for HTML. Whatever is put in is escaped, in text and in double-quoted attributes alike,
 * unless it is `Markup` itself. Nothing may be put into a script, a style or an unquoted attribute.
 */
export function html(texts: TemplateStringsArray, ...contents: Content[]): Markup {
  const rest = contents.map((content, at) => render(content) + (texts[at + 1] ?? ""));
  return { markup: (texts[0] ?? "") + rest.join("") };
}

function render(content: Content): string {
  if (content === undefined) return "";
  if (typeof content === "number") return String(content);
  if (typeof content === "string") return escapeHtml(printable(content));
  if ("markup" in content) return content.markup;
  return content.map(render).join("");
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
