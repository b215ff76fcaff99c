import { type Html, html } from "./html.ts";

const noScript = html`<noscript>
<p class="card problem">This page needs JavaScript. Allow it in your browser, then reload the page.</p>
</noscript>`;

/** A whole page. `script` is the browser module in `src/browser` that brings it to life. */
export function page(title: string, content: Html, script?: "book" | "booking"): string {
  const module = script && html`<script type="module" src="/assets/${script}.js"></script>`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/assets/style.css">
${module ?? ""}
</head>
<body>
<main>
${script === undefined ? "" : noScript}
${content}
</main>
</body>
</html>
`.html;
}

/**
 * What may go wrong, hidden until it does. A conflict is nobody's fault and has an orange card of its
 * own; all else is a problem.
 */
export const cards: Html = html`
<section id="conflict" class="card conflict" role="alert" tabindex="-1" hidden>
<h2 data-message></h2>
<p data-hint></p>
<button type="button">Select a different time</button>
</section>
<section id="problem" class="card problem" role="alert" tabindex="-1" hidden>
<h2 data-message></h2>
<p data-hint></p>
<button type="button">Try again</button>
</section>`;

/** A page that says what went wrong, for people. */
export function errorPage(message: string, hint: string): string {
  return page(message, html`<h1>${message}</h1><p>${hint}</p>`);
}
