import { expect, test } from "vitest";
import type { Counterexample } from "../../core/counterexample.ts";
import type { Campaign, PairSearch } from "../../explorer/campaign.ts";
import { deadlock, doubleBooking, written } from "../../explorer/sample-counterexample.fixture.ts";
import { layersRecord } from "../layers.ts";
import { replayCommand, replayFileName, replayFilePath } from "../replay-command.ts";
import { failing, interrupted, passing } from "../sample-campaign.fixture.ts";
import { layers, seeded } from "../sample-records.fixture.ts";
import { seededBugRecord } from "../seeded-bugs.ts";
import { pairTable } from "./campaign.ts";
import { layersHtml } from "./layers.ts";
import { reportHtml } from "./report.ts";
import { seededBugsHtml } from "./seeded-bugs.ts";

const records = {
  seeded: seededBugRecord(seeded, "reports"),
  layers: layersRecord(layers, "reports"),
};

const VOID = new Set(["meta", "link", "br", "path", "circle", "rect"]);
const tagsOf = (html: string) => html.match(/<[^>]*>/g) ?? [];

/** Names of the elements that are open at the end, or closed without having been open. */
function unbalanced(html: string): string[] {
  const open: string[] = [];
  for (const [, slash, name] of html.matchAll(/<(\/?)([a-z][a-z0-9]*)[^>]*>/g)) {
    if (name === undefined || VOID.has(name)) continue;
    if (slash === "") open.push(name);
    else if (open.at(-1) === name) open.pop();
    else return [...open, `/${name}`];
  }
  return open;
}

/** The campaign with each text replaced, except for the values that Heddle itself defines. */
function withTexts(campaign: Campaign, text: string): Campaign {
  const defined = new Set([
    "verdict",
    "task",
    "tasks",
    "for",
    "type",
    "action",
    "outcome",
    "transaction",
    "lockWaits",
  ]);
  const replace = (value: unknown, key: string): unknown => {
    if (defined.has(key)) return value;
    if (typeof value === "string") return text;
    if (Array.isArray(value)) return value.map((item) => replace(item, key));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, replace(v, k)]));
  };
  return replace(campaign, "") as Campaign;
}

test("begins with the verdict and what was executed", () => {
  expect(reportHtml(passing, "reports")).toContain(
    "<p>No violation in 2,000 executions of 2,000 scenarios with 2 to 4 clients (seed 1, strategy random, gates: statement, read committed). This is a sample of the possible interleavings, not a proof.</p>",
  );
  expect(reportHtml(failing, "reports")).toContain('class="verdict fail"');
  expect(reportHtml(interrupted, "reports")).toContain("but this is not a pass.");
});

test("shows all results of the campaign", () => {
  const html = reportHtml(passing, "reports");
  const texts = [
    ...passing.rules.flatMap((rule) => [rule.name, rule.description]),
    ...passing.patterns.map((pattern) => pattern.name),
    ...passing.pairs.map((pair) => pair.name),
    ...Object.values(passing.responses).flatMap(Object.keys),
    ...passing.controlled,
    ...passing.uncontrolled,
    ...Object.entries(passing.hashes).flat(),
    ...[passing.digest, "18.4 (embedded)", "24.21.0", "linux x64, 2 CPUs", "47,119", "1,933"],
  ];
  expect(texts.filter((text) => !html.includes(text))).toEqual([]);
  expect(html).not.toContain("Counterexample");
});

test("explains the end of the curve of fingerprints, and only its end", () => {
  expect(reportHtml(passing, "reports")).toContain(
    "If the curve is flat at its end, more executions",
  );
});

test("marks a pattern that is less frequent than promised", () => {
  const html = reportHtml(passing, "reports");
  expect(html.match(/>missed</g)).toHaveLength(1);
  expect(html.match(/>reached</g)).toHaveLength(3);
  expect(html).toContain("more than three standard deviations");
  const patterns = passing.patterns.map((it) => ({ ...it, missed: false }));
  const chance = reportHtml({ ...passing, patterns }, "reports");
  expect(chance.match(/>too few scenarios</g)).toHaveLength(1);
  expect(chance.match(/>reached</g)).toHaveLength(3);
});

test("shows a counterexample: statements, waits, results, commits, evidence, and the replay command", () => {
  const html = reportHtml(failing, "reports");
  expect(html).toContain('<p class="waits">waits for a lock of client 1</p>');
  expect(html).toContain('<p class="preempts">preempts client 0</p>');
  expect(html).toContain('<p class="result commits">COMMIT</p>');
  expect(html).toContain('<p class="result error">ERROR 40P01: deadlock detected</p>');
  expect(html).toContain("Ada O&#39;&#39;Brien");
  expect(html).toContain('<strong class="error">500 INTERNAL_ERROR</strong>');
  expect(html).toContain("<code>c-42</code>");
  expect(html).toContain('<p class="note">This looks like a lost update. Client 0 read ');
  expect(html).toContain('<p class="note">This looks like a deadlock. ');
  expect(html).toContain(
    `<code class="command">${replayCommand(replayFilePath("reports", doubleBooking))}</code>`,
  );
  expect(html).toContain(`href="${replayFileName(doubleBooking)}"`);
  expect(html.match(/<th scope="col" role="columnheader">Client \d<\/th>/g)).toHaveLength(4);
});

test("leaves out an equal size before shrinking, and an absent initial state", () => {
  const html = reportHtml(failing, "reports");
  expect(html).toContain("Shrunk from 7 operations and 6 preemptions in 48 executions; no smaller");
  expect(html).toContain("<dt>Initial state</dt>");
  const asFound = reportHtml({ ...failing, counterexamples: [written] }, "reports");
  expect(asFound).toContain(
    "Not made smaller in 9 executions; no smaller counterexample is left to try.",
  );
  expect(asFound).not.toContain("Initial state");
});

test("shows the serial run, if there is one", () => {
  const { schedule, trace } = deadlock;
  const beside = { ...doubleBooking, serial: { schedule, trace } };
  const html = reportHtml({ ...failing, counterexamples: [beside] }, "reports");
  expect(html).toContain("<h4>The same operations, one after the other</h4>");
  expect(html).toContain("which fails: deadlock detected");
  expect(reportHtml(failing, "reports")).not.toContain("one after the other");
});

test("has a column for the background if it has events, and names connections", () => {
  const statement = { sql: "select 1", values: [] };
  const trace = [
    { type: "statement", task: "bg", statement },
    { type: "move", choice: { task: "0.1", action: "release" }, enabled: [], preemption: false },
    { type: "statement", task: "0.1", statement },
  ] as const;
  const result = { type: "result", task: "bg", result: { tags: [], transaction: "idle" } } as const;
  const html = reportHtml(
    { ...failing, counterexamples: [{ ...doubleBooking, trace: [...trace, result] }] },
    "reports",
  );
  expect(html).toContain(">Background</th>");
  expect(html).toContain("<em>client 0, connection 2:</em>");
});

test("is well-formed, with a language, a title, and headers in each table", () => {
  for (const campaign of [passing, failing, interrupted]) {
    const html = reportHtml(campaign, "reports");
    expect(unbalanced(html)).toEqual([]);
    expect(html).toMatch(/^<!doctype html>\n<html lang="en">/);
    expect(html).toMatch(/<title>.+<\/title>/);
    const tables = html.match(/<table[^>]*>[\s\S]*?<\/table>/g) ?? [];
    for (const table of tables) {
      expect(table).toContain("<caption>");
      expect(table).toContain('scope="col"');
      expect(table).toContain('scope="row"');
    }
  }
  expect(unbalanced("<p><b></p>")).toEqual(["p", "b", "/p"]);
});

test("serves screen readers: no skipped level of headings, no empty header, few landmarks", () => {
  const pages = [
    reportHtml(failing, "reports", records),
    layersHtml(records.layers, layers, "reports"),
    seededBugsHtml(records.seeded),
  ];
  for (const html of pages) {
    const levels = [...html.matchAll(/<h([1-6])>/g)].map(([, level]) => Number(level));
    const skipped = levels.filter((level, at) => level > (levels[at - 1] ?? 0) + 1);
    expect(levels.length).toBeGreaterThan(2);
    expect(skipped).toEqual([]);
    expect(html).not.toMatch(/<th [^>]*><\/th>/);
    expect(html).not.toContain('role="region"');
  }
});

test("escapes all texts: hostile ones change no tag", () => {
  const hostile = `</script></style></code><img src=x onerror="alert('1')">&lt;\u202e\u0000🩺 <!-- ]]>`;
  const html = reportHtml(withTexts(failing, hostile), hostile);
  const harmless = reportHtml(withTexts(failing, "x"), "x");
  const bare = (tag: string) => tag.replace(/ href="[\w/.#-]*"/, "");
  expect(tagsOf(html).map(bare)).toEqual(tagsOf(harmless).map(bare));
  expect(html).toContain("&#60;/script&#62;");
  expect(html).toContain("onerror=&#34;alert(&#39;1&#39;)&#34;");
  expect(html.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\u202e]/u);
  expect(html).toContain("🩺");
});

test("refers to no other resource, runs no script, and forbids fetching", () => {
  for (const campaign of [passing, failing]) {
    const html = reportHtml(campaign, "reports");
    const references = [...html.matchAll(/\s(?:href|src|srcset|action|data)="([^"]*)"/g)];
    const outside = references.filter(
      ([, to]) => !/^(#[\w-]+|data:,|counterexamples\/[\w.-]+)$/.test(to ?? ""),
    );
    expect(references.length).toBeGreaterThan(3);
    expect(outside).toEqual([]);
    expect(html).not.toMatch(/<script|<iframe|@import|url\(|\son\w+="/);
    expect(html).toContain(`content="default-src 'none';`);
  }
});

test("each link within the page has its target", () => {
  const html = reportHtml(failing, "reports");
  const targets = [...html.matchAll(/href="#([\w-]+)"/g)].map(([, id]) => id);
  expect(targets).toHaveLength(5);
  expect(targets.filter((id) => !html.includes(`id="${id}"`))).toEqual([]);
});

test("is small", () => {
  expect(reportHtml(failing, "reports").length).toBeLessThan(60_000);
  const many = { ...failing, counterexamples: Array(10).fill(doubleBooking) };
  expect(reportHtml(many, "reports").length).toBeLessThan(300_000);
});

test("is below 2 MB, whatever a campaign finds, and says what it leaves out", () => {
  const long = "x".repeat(20_000);
  const names = Array.from({ length: 3_000 }, (_, at) => `name-${at}`);
  const { trace, violations, scenario } = doubleBooking;
  const huge: Counterexample = {
    ...doubleBooking,
    trace: Array.from({ length: 40 }, () => trace).flat(),
    violations: violations.map((it) => ({
      ...it,
      evidence: names.map((name) => ({ name })),
    })),
    scenario: { ...scenario, initial: names },
  };
  const counts = Object.fromEntries(names.map((name) => [name, 1]));
  const html = reportHtml(
    {
      ...failing,
      responses: { create: counts },
      mixes: counts,
      pairs: names.map((name) => ({ ...passing.pairs[0], name }) as PairSearch),
      counterexamples: [...Array<Counterexample>(40).fill(doubleBooking), huge, huge],
      reason: long,
    },
    "reports",
  );
  expect(html.length).toBeLessThan(2_000_000);
  expect(unbalanced(html)).toEqual([]);
  expect(html).toContain("2,500 more");
  expect(html).not.toContain(long);
  expect(html.match(/<article /g)).toHaveLength(42);

  const alone = reportHtml({ ...failing, counterexamples: [huge] }, "reports");
  expect(alone.length).toBeLessThan(2_000_000);
  expect(alone).toContain("more steps: <code>heddle replay</code> prints them.");
  expect(alone).toContain("Evidence: the first 30 of 3,000 rows");
});

test("marks a pair that was not searched completely", () => {
  const pairs = [
    { name: "create × create", explored: 1_234, pruned: 56, complete: true, outcomes: 2 },
    { name: "cancel × expire", explored: 7, pruned: null, complete: false, outcomes: 13 },
  ];
  const { markup } = pairTable(pairs) ?? { markup: "" };
  expect(markup).toContain("<code>create × create</code>");
  expect(markup).toContain(">1,234<");
  expect(markup.match(/class="unknown">[^<]*/g)).toEqual(['class="unknown">7, not all']);
  expect(pairTable([])).toBeUndefined();
});
