import fc from "fast-check";
import { expect, test } from "vitest";
import { fuzzParameters } from "../core/fuzz.fixture.ts";
import { campaignGithub } from "./github.ts";
import { type Redaction, redactionOf } from "./redaction.ts";
import { counterexampleWith, reportsWith } from "./reports-with.fixture.ts";
import { failing } from "./sample-campaign.fixture.ts";

const ofKind = (reports: { readonly [name: string]: string }, extension: string) =>
  Object.entries(reports).filter(([name]) => name.endsWith(extension));

/** Texts that a format, a terminal or a CI system could take for its own. */
const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ...["<script>", "</script>", "<!--", "-->", "]]>", "<![CDATA[", '"', "'", "`", "```", "\\"],
        ...[
          "::error::x",
          "##[error]x",
          "##vso[task]x",
          "##teamcity[x]",
          "::stop-commands::t",
          "::",
        ],
        ...["\u001b[2J", "\u001b]0;t\u0007", "\u009b31m", "\u202e", "\u2066", "\ud800", "\u0000"],
        ...["\n", "\r", "\r\n", "\u2028", "\u0085", "\t", " ", "|", "$$", "--", "/*", "*/", "%0A"],
        ...["{{x}}", "&amp;", "&#0;", "]]", "javascript:x", "onerror=", "</td>", "\ufeff", "𝒳"],
      ),
      fc.string({ unit: "binary", maxLength: 10 }),
    ),
    { maxLength: 20 },
  )
  .map((parts) => parts.join(""));

const TAG = /<(\/?[a-z][\w-]*)((?:[^>"]|"[^"]*")*)>/gi;

/** The names of a page's tags, and of their attributes. */
function markupOf(page: string): ReadonlySet<string> {
  const names = [...page.matchAll(TAG)].flatMap(([, tag = "", rest = ""]) => {
    const attributes = rest.replace(/"[^"]*"/g, "").match(/[^\s=/]+/g) ?? [];
    return [tag, ...attributes.map((attribute) => `${tag} ${attribute}`)];
  });
  return new Set(names.map((name) => name.toLowerCase()));
}

/** The tags of a JUnit file, in order. */
function elementsOf(xml: string): readonly string[] {
  return [...xml.matchAll(TAG)].map(([, tag = ""]) => tag);
}

const plain = reportsWith("x");
const markup = new Set(ofKind(plain, ".html").flatMap(([, page]) => [...markupOf(page)]));
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;
/** A surrogate without its other half. */
const LONE = /\p{Cs}/u;

function controlsNothing(text: string): void {
  const reports = reportsWith(text);
  for (const [, page] of ofKind(reports, ".html")) {
    expect([...markupOf(page)].filter((name) => !markup.has(name))).toEqual([]);
    expect(page).not.toMatch(CONTROL);
  }
  for (const [name, xml] of ofKind(reports, ".xml")) {
    expect(elementsOf(xml)).toEqual(elementsOf(plain[name] ?? ""));
    expect(xml).not.toMatch(LONE);
  }
  for (const [, json] of ofKind(reports, ".json")) JSON.parse(json);
  for (const [, shown] of [...ofKind(reports, ".txt"), ...ofKind(reports, ".md")]) {
    expect(shown).not.toMatch(CONTROL);
    expect(shown).not.toMatch(LONE);
  }
  for (const [name, lines] of ofKind(reports, ".annotations")) {
    const [commands, before] = [lines, plain[name] ?? ""].map((all) => all.split("\n"));
    expect(commands?.map((line) => line.split(" ")[0])).toEqual(
      before?.map((line) => line.split(" ")[0]),
    );
  }
  for (const [name, metrics] of ofKind(reports, ".prom")) {
    expect(metrics.split("\n")).toHaveLength((plain[name] ?? "").split("\n").length);
  }
}

test("no text of the system under test controls a page, a terminal or a CI system", () => {
  fc.assert(fc.property(hostile, controlsNothing), fuzzParameters(40));
});

test("every report stays small, whatever the length of a value", () => {
  const reports = Object.entries(reportsWith("<b>&".repeat(10_000)));
  expect(reports.filter(([, { length }]) => length > 1_000_000).map(([name]) => name)).toEqual([]);
});

test("the summary of a job stays below GitHub's limit, whatever the number of counterexamples", () => {
  const many = Array.from({ length: 20 }, () => counterexampleWith("<b>&".repeat(500)));
  const { summary } = campaignGithub({ ...failing, counterexamples: many }, "out");
  expect(Buffer.byteLength(summary)).toBeLessThan(2 ** 20);
});

test.each([
  ["a column", "note"],
  ["a pattern", "/\\d{4}-\\w+@x\\.org/"],
])("no report has a value that is redacted by %s", (_, rule) => {
  const SECRET = "4111-ada@x.org";
  const showing = (redaction?: Redaction) =>
    Object.entries(reportsWith(SECRET, redaction)).flatMap(([name, shown]) =>
      shown.includes(SECRET) ? name : [],
    );
  expect(showing().length).toBeGreaterThan(15);
  expect(showing(redactionOf([rule]))).toEqual([]);
});

test("columns that are named like Heddle's own members change nothing but values", () => {
  const own = ["name", "type", "task", "sql", "values", "result", "operation", "checker", "tags"];
  const { "campaign.json": campaign, "counterexample.txt": text } = reportsWith("x");
  expect(reportsWith("x", redactionOf(own))).toMatchObject({
    "campaign.json": campaign,
    "counterexample.txt": text,
  });
});
