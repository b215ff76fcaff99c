import type { Counterexample } from "../core/counterexample.ts";
import type { Campaign, RuleCount } from "../explorer/campaign.ts";
import { ruleOutcome } from "./rule-outcome.ts";
import { counterexampleText } from "./text.ts";
import { serviceName, verdictSentence } from "./verdict-sentence.ts";
import { attributes, element, escaped, testCase } from "./xml.ts";

/**
 * `junit.xml`: the form that most CI systems show as tests. Each rule is a test case that fails
 * with its counterexample; one more case, `campaign`, is an error where the verdict is `unknown`,
 * so that what was not finished is never shown as passed.
 *
 * JUnit has no schema of its own; this keeps to what Jenkins, GitLab and GitHub's actions read:
 * https://github.com/testmoapp/junitxml
 *
 * @param folder where the report is written to; the replay operations name it
 */
export function junitXml(campaign: Campaign, folder: string): string {
  const { rules, verdict, elapsedMs, startedAt } = campaign;
  const shown = campaign.counterexamples.flatMap(({ violations }) => violations);
  const outcomes = rules.map((rule) => ruleOutcome(rule, shown));
  const failures = outcomes.filter((outcome) => outcome === "broken").length;
  const skipped = outcomes.filter((outcome) => outcome === "not applied").length;
  const errors = verdict === "unknown" ? 1 : 0;
  const seconds = (elapsedMs / 1000).toFixed(3);
  const counts = attributes({ tests: rules.length + 1, failures, errors, skipped, time: seconds });
  const name = `heddle ${serviceName(campaign)}`;
  const cases = [
    ...rules.map((rule, at) => ruleCase(rule, outcomes[at] ?? "not applied", campaign, folder)),
    testCase("campaign", name, errors > 0 ? [element("error", verdictSentence(campaign), "")] : []),
  ];
  const properties = Object.entries(propertiesOf(campaign)).map(
    ([property, value]) => `<property ${attributes({ name: property, value })}/>`,
  );
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites ${attributes({ name })} ${counts}>
<testsuite ${attributes({ name, timestamp: startedAt })} ${counts}>
<properties>
${properties.join("\n")}
</properties>
${cases.join("\n")}
<system-out>${escaped(verdictSentence(campaign))}</system-out>
</testsuite>
</testsuites>
`;
}

function propertiesOf({ seed, strategy, executions, digest, environment }: Campaign) {
  const { heddle, postgres } = environment;
  return { seed, strategy, executions, digest, heddle, postgres: postgres.version };
}

function ruleCase(
  rule: RuleCount,
  outcome: ReturnType<typeof ruleOutcome>,
  campaign: Campaign,
  folder: string,
): string {
  const shown = campaign.counterexamples.find(({ violations }) =>
    violations.some(({ checker, name }) => checker === rule.checker && name === rule.name),
  );
  const text = shown === undefined ? "" : detail(shown, folder);
  const times = `violated in ${rule.violated} of ${rule.checked} checks: ${rule.description}`;
  const content = {
    broken: [element("failure", times, text)],
    kept: [],
    "not applied": [element("skipped", "never applied", "")],
  };
  return testCase(rule.name, `heddle.${campaign.service}.${rule.checker}`, content[outcome]);
}

function detail(counterexample: Counterexample, folder: string): string {
  return counterexampleText(counterexample, { colour: false, folder });
}
