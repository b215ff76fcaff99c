import type { AttackReport } from "../attack/attack-report.ts";
import type { Audit } from "../audit/audit-report.ts";
import type { Counterexample } from "../core/counterexample.ts";
import type { Operation } from "../core/operation.ts";
import type { Trace, TraceEvent } from "../core/trace.ts";
import type { Violation } from "../core/verdict.ts";
import type { Campaign } from "../explorer/campaign.ts";
import type { LayersOfDefence } from "../mutation/layers.ts";
import type { MutationScore } from "../mutation/mutation-score.ts";
import type { SeededBugReport } from "../mutation/seeded-bugs.ts";
import { Data, REDACTED, type Redaction, redacted } from "./redaction.ts";

/*
 * Each exported function takes what reports of a kind are made from, and returns it without the values
 * that they must not show. Names of rules, operations and events are Heddle's own and stay, also where a
 * column has the same name. A counterexample without its values diverges when it is replayed.
 */

export function redactedCampaign(campaign: Campaign, redaction: Redaction | undefined): Campaign {
  return without(campaign, redaction, {
    reason: text(campaign.reason),
    counterexamples: campaign.counterexamples.map(counterexampleData),
  });
}

export function redactedAttack(
  report: AttackReport,
  redaction: Redaction | undefined,
): AttackReport {
  return without(report, redaction, {
    reason: text(report.reason),
    examples: report.examples.map(violationData),
  });
}

export function redactedAudit(audit: Audit, redaction: Redaction | undefined): Audit {
  const checks = audit.checks.map(({ details, offending }) => ({
    details: text(details),
    offending: new Data(offending),
  }));
  return without(audit, redaction, { reason: text(audit.reason), checks });
}

export function redactedSeededBugs(
  report: SeededBugReport,
  redaction: Redaction | undefined,
): SeededBugReport {
  return without(report, redaction, {
    results: report.results.map(caseData),
    baseline: report.baseline.map(({ reason }) => ({ reason: text(reason) })),
  });
}

export function redactedScore(
  score: MutationScore,
  redaction: Redaction | undefined,
): MutationScore {
  // There are no rows that could tell which part of these texts is the value of a column.
  const whole = (redaction?.columns.length ?? 0) > 0 ? REDACTED : undefined;
  const results = score.results.map(({ by, reason, outcome }) => ({
    by: by && { message: text(whole ?? by.message) },
    reason: text(outcome === "unknown" ? (whole ?? reason) : reason),
  }));
  return without(score, redaction, { results });
}

export function redactedLayers(
  layers: LayersOfDefence,
  redaction: Redaction | undefined,
): LayersOfDefence {
  const promises = layers.promises.map(({ cases }) => ({ cases: cases.map(caseData) }));
  return without(layers, redaction, { promises });
}

function caseData({
  reason,
  counterexample,
}: {
  readonly reason: string | null;
  readonly counterexample: Counterexample | null;
}) {
  return {
    reason: text(reason),
    counterexample: counterexample && counterexampleData(counterexample),
  };
}

function counterexampleData(counterexample: Counterexample) {
  const { violations, scenario, trace, serial, volatile, unrepeated } = counterexample;
  return {
    violations: violations.map(violationData),
    scenario: {
      initial: new Data(scenario.initial),
      clients: scenario.clients.map((operations) => operations.map(operationData)),
    },
    trace: traceData(trace),
    ...(serial && { serial: { trace: traceData(serial.trace) } }),
    ...(volatile && { volatile: volatile.map(({ value }) => ({ value: new Data(value) })) }),
    ...(unrepeated && { unrepeated: { why: text(unrepeated.why) } }),
  };
}

/** The values of a difference; its other members are Heddle's own. */
function differenceData({ execution, order, row }: { readonly [member: string]: unknown }) {
  const given = Object.entries({ execution, order, row }).filter(
    ([, value]) => value !== undefined,
  );
  return Object.fromEntries(given.map(([member, value]) => [member, new Data(value)]));
}

function violationData({ message, evidence, orders }: Violation) {
  return {
    ...{ message: text(message), evidence: new Data(evidence) },
    ...(orders && {
      orders: orders.map(({ answers, rows }) => ({
        ...{ answers: answers.map(differenceData), rows: rows.map(differenceData) },
      })),
    }),
  };
}

function operationData({ name: _, ...rest }: Operation) {
  return new Data(rest);
}

function traceData(trace: Trace) {
  return trace.map(eventData);
}

function eventData(event: TraceEvent) {
  switch (event.type) {
    case "statement":
      return { statement: new Data(event.statement) };
    case "fault":
      return event.statement === undefined ? {} : { statement: new Data(event.statement) };
    case "result": {
      const { error } = event.result;
      return error === undefined ? {} : { result: { error: { message: text(error.message) } } };
    }
    case "invoke":
      return { operation: operationData(event.operation) };
    case "return":
      return { response: { body: new Data(event.response.body) } };
    default:
      return {};
  }
}

function text(value: string | null): Data {
  return new Data(value);
}

/** `whole`, with what `data` has in place of its own parts, redacted. */
function without<T>(whole: T, redaction: Redaction | undefined, data: object): T {
  return redaction === undefined ? whole : (merged(whole, redacted(data, redaction)) as T);
}

function merged(whole: unknown, part: unknown): unknown {
  if (Array.isArray(whole) && Array.isArray(part)) {
    return whole.map((item, at) => merged(item, part[at]));
  }
  if (!(whole instanceof Object && part instanceof Object)) return part;
  const members = Object.entries(part).map(([name, member]) => [
    name,
    merged(Reflect.get(whole, name), member),
  ]);
  return { ...whole, ...Object.fromEntries(members) };
}
