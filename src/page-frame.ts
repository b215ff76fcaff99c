import type { ErrorCode, ServiceError } from "./errors.ts";
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
export const errorCards: Html = html`
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

const NO_PAGE = ["There is no such page", "Check the address, or ask for it again."] as const;
const NOT_SHOWN = [
  "This booking cannot be shown here",
  "It is shown in the browser in which it was made, as long as that keeps its cookies. If it is " +
    "yours, ask those with whom you booked.",
] as const;

/** What is said to people where a refusal has words for programs. */
const WORDS: { readonly [code in ErrorCode]?: readonly [message: string, hint: string] } = {
  VALIDATION_ERROR: NO_PAGE,
  NOT_FOUND: NO_PAGE,
  VENDOR_NOT_FOUND: ["There is nobody to book with here", NO_PAGE[1]],
  BOOKING_NOT_FOUND: ["There is no such booking", NO_PAGE[1]],
  UNAUTHENTICATED: NOT_SHOWN,
  FORBIDDEN: NOT_SHOWN,
  TOO_MANY_REQUESTS: ["Too many visits at once", "Wait a minute, then reload the page."],
  DATABASE_UNAVAILABLE: ["This page cannot be shown right now", "Reload it in a moment."],
};

/** A page that says what went wrong, for people. */
export function errorPage({ code, message, hint }: ServiceError): string {
  const [heading, advice] = WORDS[code] ?? [message, hint];
  return page(heading, html`<h1>${heading}</h1><p>${advice}</p>`);
}
