import type { Campaign } from "../explorer/campaign.ts";
import { shortened } from "./format-values.ts";
import { type CountedRule, ruleOutcome } from "./outcomes.ts";
import { counterexampleText } from "./text.ts";
import { serviceName, verdictSentence } from "./verdict-sentence.ts";

/** A file in the form that CI systems show as tests. */
export interface JunitSuite {
  readonly name: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly elapsedMs: number;
  readonly properties?: { readonly [name: string]: string | number };
  readonly cases: readonly JunitCase[];
  readonly output?: string;
}

export interface JunitCase {
  readonly name: string;
  readonly classname: string;
  /** Undefined if the test passed. */
  readonly problem?: {
    readonly kind: "failure" | "error" | "skipped";
    readonly message: string;
    readonly text: string;
  };
}

/** The longest text of one failure, in characters; the page and the replay file have the rest. */
const MAX_EXAMPLE = 100_000;

/**
 * `junit.xml` of a campaign: a test case for each rule, which fails with its counterexample; and a
 * test case `campaign`, which is an error if the verdict is `unknown`, so that CI never shows an
 * unfinished campaign as passed.
 *
 * @param folder where the report is written; the replay commands name it
 */
export function campaignJunit(campaign: Campaign, folder: string): string {
  const { service, seed, strategy, executions, digest, environment } = campaign;
  const sentence = verdictSentence(campaign);
  const counterexamples = campaign.counterexamples.map((c) => ({
    violations: c.violations,
    text: counterexampleText(c, { colour: false, folder }),
  }));
  const name = `heddle ${serviceName(campaign)}`;
  return junitXml({
    name,
    ...{ startedAt: campaign.startedAt, elapsedMs: campaign.elapsedMs },
    properties: {
      ...{ seed, strategy, executions, digest, heddle: environment.heddle },
      postgres: environment.postgres.version,
    },
    cases: [
      ...ruleCases(service, campaign.rules, counterexamples),
      verdictCase("campaign", name, campaign.verdict, sentence),
    ],
    output: sentence,
  });
}

/**
 * A test case for each rule.
 *
 * @param examples violations, each with the text that explains them
 */
export function ruleCases(
  service: string,
  rules: readonly CountedRule[],
  examples: readonly {
    readonly violations: readonly { readonly checker: string; readonly name: string }[];
    readonly text: string;
  }[],
): readonly JunitCase[] {
  const reported = examples.flatMap(({ violations }) => violations);
  return rules.map((rule) => {
    const { checker, name, description, checked, violated } = rule;
    const testCase = { name, classname: `heddle.${service}.${checker}` };
    const outcome = ruleOutcome(rule, reported);
    if (outcome === "held") return testCase;
    if (outcome === "not checked") {
      return { ...testCase, problem: { kind: "skipped", message: "never checked", text: "" } };
    }
    const example = examples.find(({ violations }) =>
      violations.some((violation) => violation.checker === checker && violation.name === name),
    );
    const message = `violated in ${violated} of ${checked} checks: ${description}`;
    return { ...testCase, problem: { kind: "failure", message, text: example?.text ?? "" } };
  });
}

/** A test case that is an error if the verdict is `unknown`. */
export function verdictCase(
  name: string,
  classname: string,
  verdict: Campaign["verdict"],
  message: string,
): JunitCase {
  if (verdict !== "unknown") return { name, classname };
  return { name, classname, problem: { kind: "error", message, text: "" } };
}

/**
 * JUnit has no schema of its own. This keeps to what Jenkins, GitLab and GitHub actions read:
 * https://github.com/testmoapp/junitxml
 */
export function junitXml(suite: JunitSuite): string {
  const { name, startedAt, elapsedMs, properties = {}, cases, output } = suite;
  const count = (kind: string) => cases.filter(({ problem }) => problem?.kind === kind).length;
  const counts = attributes({
    tests: cases.length,
    failures: count("failure"),
    errors: count("error"),
    skipped: count("skipped"),
    time: (elapsedMs / 1000).toFixed(3),
  });
  const propertyElements = Object.entries(properties).map(
    ([property, value]) => `<property ${attributes({ name: property, value })}/>`,
  );
  const lines = [
    `<?xml version="1.0" encoding="UTF-8"?>`,
    `<testsuites ${attributes({ name })} ${counts}>`,
    `<testsuite ${attributes({ name, timestamp: startedAt })} ${counts}>`,
    ...(propertyElements.length === 0
      ? []
      : ["<properties>", ...propertyElements, "</properties>"]),
    ...cases.map(caseElement),
    ...(output === undefined ? [] : [`<system-out>${escapeXml(shortened(output))}</system-out>`]),
    "</testsuite>",
    "</testsuites>",
  ];
  return `${lines.join("\n")}\n`;
}

function caseElement({ name, classname, problem }: JunitCase): string {
  const start = `<testcase ${attributes({ name, classname })}`;
  if (problem === undefined) return `${start}/>`;
  const { kind, message, text } = problem;
  return `${start}>\n<${kind} ${attributes({ message: shortened(message) })}>${escapeXml(shortened(text, MAX_EXAMPLE))}</${kind}>\n</testcase>`;
}

function attributes(values: { readonly [name: string]: string | number }): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}="${escapeXml(String(value))}"`)
    .join(" ");
}

const ENTITIES: { readonly [character: string]: string } = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

/** XML 1.0 forbids most control characters and lone surrogates, even as character references. */
function escapeXml(text: string): string {
  return text
    .replace(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, "\u{fffd}")
    .replace(/[&<>"]/g, (character) => ENTITIES[character] ?? character);
}
