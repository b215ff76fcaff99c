/** The style sheet of all pages: light and dark, for desktop, phone and paper. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #fff; --ink: #1c2127; --soft: #59636e; --line: #d8dee4; --shade: #f5f7f9;
  --link: #0a58b5; --good: #12692f; --bad: #b3171f; --doubt: #855400;
  --good-shade: #e9f6ed; --bad-shade: #fdeeee; --doubt-shade: #fdf5e2; --bracket: #7b8ea3;
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14181d; --ink: #e2e7ec; --soft: #9ba7b4; --line: #323a43; --shade: #1c2229;
    --link: #7ab4ff; --good: #6bd08a; --bad: #ff8f8f; --doubt: #e8b65a;
    --good-shade: #15271c; --bad-shade: #2e191b; --doubt-shade: #2b2413; --bracket: #6d8198;
  }
}
* { box-sizing: border-box; print-color-adjust: exact; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0 auto; padding: 2.5rem 1.5rem 4rem; max-width: 68rem;
  background: var(--page); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
}
h1, h2, h3, h4 { line-height: 1.25; font-weight: 600; margin: 0; text-wrap: balance; }
h1 { font-size: 1.6rem; }
h2 { font-size: 1.25rem; margin: 3rem 0 .9rem; padding-top: 1.1rem; border-top: 1px solid var(--line); }
h3 { font-size: 1.05rem; margin-top: 2rem; }
h2 + article h3, h2 + h3 { margin-top: 0; }
h4 { font-size: .95rem; margin: 1.6rem 0 .5rem; }
p, ul, dl { margin: .6rem 0; }
p, li { max-width: 46rem; }
a { color: var(--link); }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
code { font-family: var(--mono); font-size: .84em; overflow-wrap: anywhere; unicode-bidi: isolate; }
pre { margin: 0; white-space: pre-wrap; line-height: 1.4; }
.eyebrow { margin: 0 0 .2rem; color: var(--soft); font-size: .875rem; }
.verdict { margin: 1.4rem 0; padding: 1rem 1.2rem; border-left: 5px solid; border-radius: 3px; }
.verdict p { margin: .25rem 0 0; color: var(--ink); max-width: none; }
.verdict strong { font-size: 1.15rem; }
.pass { color: var(--good); } .verdict.pass { background: var(--good-shade); }
.fail { color: var(--bad); } .verdict.fail { background: var(--bad-shade); }
.unknown { color: var(--doubt); } .verdict.unknown { background: var(--doubt-shade); }
.note { color: var(--soft); font-size: .875rem; }
nav ul { display: flex; flex-wrap: wrap; gap: .2rem 1.4rem; margin: 1rem 0 0; padding: 0; list-style: none; font-size: .925rem; }
.figures { display: grid; grid-template-columns: repeat(4, 1fr); gap: 1rem 1.2rem; margin: 1.6rem 0; }
.figures dt { color: var(--soft); font-size: .8125rem; }
.figures dd { margin: 0; font-size: 1.2rem; font-variant-numeric: tabular-nums; }
.facts { display: grid; grid-template-columns: minmax(7rem, max-content) 1fr; gap: .3rem 1.4rem; }
.facts dt { color: var(--soft); }
.facts dt, .violated { font-size: .95rem; }
.facts dd { margin: 0; min-width: 0; }
.scroll { overflow-x: auto; }
.scroll + .scroll, .facts + .scroll { margin-top: 1.6rem; }
details { margin: 1rem 0; }
summary { cursor: pointer; color: var(--link); }
details > :nth-child(2) { margin-top: .8rem; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
caption { text-align: left; color: var(--soft); font-size: .875rem; padding: 0 0 .5rem; }
th, td { padding: .45rem .7rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
thead th { color: var(--soft); font-weight: 500; font-size: .8125rem; border-bottom-color: var(--bracket); vertical-align: bottom; }
tbody th { font-weight: 500; }
.scroll tr > :first-child { padding-left: 0; }
.scroll tr > :last-child { padding-right: 0; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.bar { display: block; height: 4px; margin-top: .3rem; border-radius: 2px; background: var(--line); overflow: hidden; }
.bar i { display: block; height: 100%; background: var(--bracket); }
.counterexample + .counterexample { margin-top: 2.5rem; border-top: 1px solid var(--line); }
.command { display: block; margin: .4rem 0; padding: .7rem .9rem; border: 1px solid var(--line); border-radius: 3px; background: var(--shade); user-select: all; }
.timeline { table-layout: fixed; border-top: 1px solid var(--line); }
.timeline .step { width: 3.4rem; color: var(--soft); font-weight: 400; font-variant-numeric: tabular-nums; }
.timeline td { border-left: 1px solid var(--line); font-size: .875rem; }
.timeline td.transaction { border-left: 3px solid var(--bracket); }
.timeline td.moves { background: var(--shade); }
.timeline p { margin: 0; max-width: none; }
.timeline p + p { margin-top: .25rem; }
.timeline .values, .timeline .result, .timeline .body { color: var(--soft); }
.timeline .result::before { content: "→ "; }
.timeline .preempts { color: var(--soft); font-size: .8125rem; font-style: italic; }
.timeline .fault { color: var(--bad); font-weight: 600; }
.timeline .waits { color: var(--doubt); font-weight: 600; }
.timeline .commits { color: var(--good); font-weight: 600; }
.timeline .error { color: var(--bad); font-weight: 600; }
.narrative li { margin: .35rem 0; }
.picture svg { display: block; font: 11px var(--mono); fill: var(--ink); }
.picture text { paint-order: stroke; stroke: var(--page); stroke-width: 3px; stroke-linejoin: round; }
.picture path { fill: none; stroke: var(--soft); }
.picture .task { stroke: var(--line); }
.picture .bracket { stroke: var(--bracket); stroke-width: 5; }
.picture .arrow { stroke: var(--ink); }
.picture .back { stroke-dasharray: 3 3; stroke: var(--soft); }
.picture .waits { stroke: var(--doubt); stroke-dasharray: 6 3; stroke-width: 1.6; }
.picture .switch { stroke-dasharray: 1 4; }
.picture .broken { stroke: var(--bad); stroke-width: 2; }
.picture .curve { stroke: var(--link); stroke-width: 2; }
.picture .at { fill: var(--soft); }
.picture .strong { font-weight: 600; }
.picture .bad { fill: var(--bad); font-weight: 600; }
.picture .good { fill: var(--good); font-weight: 600; }
.picture .doubt { fill: var(--doubt); font-weight: 600; }
.picture .gate { fill: var(--page); stroke: var(--ink); }
.scroll code { overflow-wrap: normal; }
.scroll .hash, .hash { font-size: .75rem; overflow-wrap: anywhere; }
footer { margin-top: 3.5rem; padding-top: 1rem; border-top: 1px solid var(--line); }
@media screen and (max-width: 44rem) {
  body { padding: 1.4rem 1rem 3rem; }
  h2 { margin-top: 2.2rem; }
  .facts { grid-template-columns: 1fr; gap: 0; }
  .scroll th, .scroll td { padding: .45rem .35rem; }
  .scroll code { font-size: .78em; }
  .picture svg { zoom: .72; }
  caption { max-width: calc(100vw - 2rem); }
  .facts dd { margin-bottom: .6rem; }
  .figures { grid-template-columns: repeat(2, 1fr); gap: .7rem 1.2rem; }
  .timeline, .timeline tbody, .timeline caption, .timeline tr, .timeline td, .timeline .step { display: block; width: auto; }
  .timeline thead { position: absolute; clip-path: inset(50%); }
  .timeline tr { padding: .5rem 0; border-bottom: 1px solid var(--line); }
  .timeline td, .timeline .step { padding: .1rem 0 .1rem .7rem; border-bottom: 0; }
  .timeline .step { padding-left: 0; }
  .timeline .step::before { content: "Step "; }
  .timeline td { margin: .2rem 0; }
  .timeline td.moves { padding: .4rem .7rem; }
  .timeline td:empty { display: none; }
  .timeline td::before { content: attr(data-task); display: block; color: var(--soft); font-size: .8125rem; }
}
@media print {
  :root {
    --page: #fff; --ink: #000; --soft: #444; --line: #bbb; --shade: #f3f3f3; --link: #000;
    --good: #0b5a26; --bad: #9b1119; --doubt: #6d4500; --bracket: #666;
    --good-shade: #fff; --bad-shade: #fff; --doubt-shade: #fff;
  }
  @page { margin: 16mm 14mm; }
  body { padding: 0; max-width: none; font-size: 10.5pt; }
  nav { display: none; }
  details::details-content { content-visibility: visible; display: block; }
  summary { color: var(--soft); }
  .scroll { overflow: visible; }
  .picture svg { width: 100%; height: auto; }
  h2, h3, h4, summary, caption, thead, p:has(+ .scroll), .note:has(+ .command) { break-after: avoid; }
  tbody > tr:first-child { break-before: avoid; }
  tr, .verdict, .command, dl { break-inside: avoid; }
  thead { display: table-header-group; }
}
`;
