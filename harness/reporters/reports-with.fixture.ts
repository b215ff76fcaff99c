import type { AttackReport } from "../attack/attack-report.ts";
import type { Audit } from "../audit/audit-report.ts";
import type { Counterexample } from "../core/counterexample.ts";
import type { TraceEvent } from "../core/trace.ts";
import { doubleBooking } from "../explorer/sample-counterexample.fixture.ts";
import type { LayersOfDefence } from "../mutation/layers.ts";
import type { MutationScore } from "../mutation/mutation-score.ts";
import type { SeededBugReport } from "../mutation/seeded-bugs.ts";
import { attackGithub, attackJunit, attackText } from "./attack.ts";
import { auditJson, auditJunit, auditPrometheus, auditText } from "./audit.ts";
import { scoreRecord, scoreText } from "./derived-mutants.ts";
import { campaignGithub } from "./github.ts";
import { attackHtml } from "./html/attack.ts";
import { scoreHtml } from "./html/derived-mutants.ts";
import { layersHtml } from "./html/layers.ts";
import { reportHtml } from "./html/report.ts";
import { seededBugsHtml } from "./html/seeded-bugs.ts";
import { attackJson, campaignJson, jsonText } from "./json.ts";
import { campaignJunit } from "./junit.ts";
import { layersRecord, layersText } from "./layers.ts";
import {
  redactedAttack,
  redactedAudit,
  redactedCampaign,
  redactedLayers,
  redactedScore,
  redactedSeededBugs,
} from "./redacted-reports.ts";
import type { Redaction } from "./redaction.ts";
import { failing } from "./sample-campaign.fixture.ts";
import { caught, failedAttack, layers, score, seeded } from "./sample-records.fixture.ts";
import { seededBugRecord, seededBugsText } from "./seeded-bugs.ts";
import { summary } from "./summary.ts";
import { counterexampleText } from "./text.ts";

const FOLDER = "out";
const VIEW = { colour: false, folder: FOLDER };

/** A counterexample of a system whose data holds `text` wherever data stands. */
export function counterexampleWith(text: string): Counterexample {
  const operation = { name: "create", note: text };
  const events: readonly TraceEvent[] = doubleBooking.trace.map((event) => {
    switch (event.type) {
      case "invoke":
        return { ...event, operation };
      case "statement":
        return { ...event, statement: { sql: `update t set note = '${text}'`, values: [text] } };
      case "return":
        return { ...event, response: { ...event.response, body: { note: text } } };
      case "result": {
        const error = { sqlstate: "P0001", message: `broken by ${text}` };
        return { ...event, result: { ...event.result, error } };
      }
      default:
        return event;
    }
  });
  return {
    ...doubleBooking,
    scenario: { initial: { note: text }, clients: [[operation], [operation]] },
    trace: events,
    serial: { schedule: doubleBooking.schedule, trace: events },
    violations: doubleBooking.violations.map((violation) => ({
      ...violation,
      message: `broken: ${text}`,
      evidence: [{ note: text }],
    })),
  };
}

/**
 * Every report of every kind, by its name, about a system whose data holds `text` wherever data stands.
 *
 * @param redaction applied to each as a command does
 */
export function reportsWith(
  text: string,
  redaction?: Redaction,
): { readonly [name: string]: string } {
  const counterexample = counterexampleWith(text);
  const campaign = redactedCampaign(
    { ...failing, reason: `because of ${text}`, counterexamples: [counterexample] },
    redaction,
  );
  const [violation = failedAttack.examples[0]] = counterexample.violations;
  const attack: AttackReport = redactedAttack(
    { ...failedAttack, reason: text, examples: violation === undefined ? [] : [violation] },
    redaction,
  );
  const bugs: SeededBugReport = redactedSeededBugs(
    {
      ...seeded,
      results: [{ ...caught, counterexample, reason: `because of ${text}` }],
      baseline: seeded.baseline.map((result) => ({ ...result, reason: text })),
    },
    redaction,
  );
  const derived: MutationScore = redactedScore(
    {
      ...score,
      results: score.results.map((result) => ({
        ...result,
        by: result.by && { ...result.by, message: text },
        reason: result.outcome === "unknown" ? text : result.reason,
      })),
    },
    redaction,
  );
  const defence: LayersOfDefence = redactedLayers(
    {
      ...layers,
      promises: layers.promises.map((promise) => ({
        ...promise,
        cases: promise.cases.map((found) => ({
          ...found,
          reason: text,
          counterexample: found.counterexample && counterexample,
        })),
      })),
    },
    redaction,
  );
  const audit: Audit = redactedAudit(
    {
      ...{ database: "db.example:5432/shop", postgres: "18.4", startedAt: failing.startedAt },
      ...{ elapsedMs: 1, verdict: "fail", reason: text },
      checks: [
        {
          ...{ source: "check_all", name: "none_lost", verdict: "fail", violations: 1 },
          ...{ details: `lost: ${text}`, offending: [{ note: text }] },
        },
      ],
    },
    redaction,
  );
  const github = campaignGithub(campaign, FOLDER);
  const attackPage = attackGithub(attack, FOLDER);
  const record = seededBugRecord(bugs, FOLDER);
  const layersOf = layersRecord(defence, FOLDER);
  return {
    "campaign.json": campaignJson(campaign, FOLDER),
    "campaign.html": reportHtml(campaign, FOLDER),
    "campaign.xml": campaignJunit(campaign, FOLDER),
    "campaign.txt": summary(campaign, VIEW),
    "counterexample.txt": campaign.counterexamples
      .map((found) => counterexampleText(found, VIEW))
      .join("\n"),
    "campaign.annotations": github.annotations.join("\n"),
    "campaign.md": github.summary,
    "attack.json": attackJson(attack),
    "attack.html": attackHtml(attack),
    "attack.xml": attackJunit(attack),
    "attack.txt": attackText(attack, VIEW),
    "attack.annotations": attackPage.annotations.join("\n"),
    "attack.md": attackPage.summary,
    "audit.json": auditJson(audit),
    "audit.xml": auditJunit(audit),
    "audit.txt": auditText(audit, false),
    "audit.prom": auditPrometheus(audit),
    "mutants.json": jsonText(record),
    "mutants.html": seededBugsHtml(record),
    "mutants.txt": seededBugsText(record, false),
    "derived-mutants.json": jsonText(scoreRecord(derived)),
    "derived-mutants.html": scoreHtml(derived),
    "derived-mutants.txt": scoreText(derived, VIEW),
    "layers.json": jsonText(layersOf),
    "layers.html": layersHtml(layersOf, defence, FOLDER),
    "layers.txt": layersText(layersOf, { colour: false }),
  };
}
