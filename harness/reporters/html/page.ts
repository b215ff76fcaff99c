import { type Content, html, type Markup } from "./markup.ts";
import { STYLE } from "./style.ts";

export interface Page {
  readonly title: string;
  readonly header: Content;
  readonly main: Content;
  readonly footer: string;
}

/**
 * One file that needs nothing else, neither network nor scripts. The policy in it forbids the
 * browser to fetch anything, whatever the data hold.
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
