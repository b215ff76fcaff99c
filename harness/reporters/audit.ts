import type { Audit, AuditCheck } from "../audit/audit-report.ts";
import { duration, printable, quantity, shortened, withShortTexts } from "./format-values.ts";
import { junitXml, verdictCase } from "./junit.ts";
import { coloursFor } from "./terminal.ts";
import { fieldsLine } from "./trace-lines.ts";

const COLOURS = { pass: "green", fail: "red", unknown: "yellow" } as const;

/** An audit for a terminal: a line for each check, followed by the offending rows. */
export function auditText(audit: Audit, colour: boolean): string {
  const colours = coloursFor(colour);
  const { database, postgres, checks, verdict, reason, startedAt, elapsedMs } = audit;
  const width = Math.max(0, ...checks.map(({ name }) => name.length));
  const lines = [
    colours("bold", printable(`audit of ${database}, PostgreSQL ${postgres}, ${startedAt}`)),
    ...checks.flatMap((check) => [
      `${colours(COLOURS[check.verdict], check.verdict.toUpperCase())}  ${printable(check.name.padEnd(width))}  ${quantity(check.violations, "violation")}`,
      ...(check.verdict === "fail" ? offendingLines(check) : []),
    ]),
    `${colours(COLOURS[verdict], verdict.toUpperCase())} in ${duration(elapsedMs)}${reason === null ? "" : `: ${printable(reason)}`}`,
  ];
  return `${lines.join("\n")}\n`;
}

function offendingLines({ details, offending, violations }: AuditCheck): readonly string[] {
  const omitted = violations - offending.length;
  return [
    ...(details === null ? [] : [`      ${printable(details)}`]),
    ...offending.map((row) => `      ${fieldsLine(row)}`),
    ...(offending.length > 0 && omitted > 0 ? [`      and ${omitted} more`] : []),
  ];
}

/** An audit as one line of JSON. */
export function auditJson(audit: Audit): string {
  return `${JSON.stringify({ version: 1, ...withShortTexts(audit) })}\n`;
}

/** A test case for each check; and a test case `audit`, which is an error if the verdict is `unknown`. */
export function auditJunit(audit: Audit): string {
  const { checks, verdict, reason, database, elapsedMs, startedAt } = audit;
  const name = `heddle audit ${database}`;
  const cases = checks.map((check) => {
    const testCase = { name: check.name, classname: `heddle.audit.${check.source}` };
    if (check.verdict === "pass") return testCase;
    const message = check.details ?? `violations: ${check.violations}`;
    const text = check.offending.map(fieldsLine).join("\n");
    return { ...testCase, problem: { kind: "failure", message, text } as const };
  });
  return junitXml({
    ...{ name, startedAt, elapsedMs },
    cases: [...cases, verdictCase("audit", name, verdict, reason ?? "")],
  });
}

/**
 * An audit in the text format of Prometheus, for the textfile collector of its node exporter:
 * https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
 */
export function auditPrometheus(audit: Audit): string {
  const { database, checks, verdict, startedAt, elapsedMs } = audit;
  const labels = labelSet({ database });
  const seconds = (ms: number): string => String(ms / 1000);
  return [
    ...gauge(
      "heddle_audit_violations",
      "Rows that violate a check.",
      checks.map(({ source, name, violations }) => [
        labelSet({ database, function: source, check: name }),
        String(violations),
      ]),
    ),
    ...gauge("heddle_audit_passed", "1 if every check passed; otherwise 0.", [
      [labels, verdict === "pass" ? "1" : "0"],
    ]),
    ...gauge("heddle_audit_complete", "1 if every check ran; otherwise 0.", [
      [labels, verdict === "unknown" ? "0" : "1"],
    ]),
    ...gauge("heddle_audit_duration_seconds", "The duration of the audit.", [
      [labels, seconds(elapsedMs)],
    ]),
    ...gauge("heddle_audit_timestamp_seconds", "When the audit started.", [
      [labels, seconds(Date.parse(startedAt))],
    ]),
    "",
  ].join("\n");
}

function gauge(
  name: string,
  help: string,
  samples: readonly (readonly [labels: string, value: string])[],
): readonly string[] {
  return [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} gauge`,
    ...samples.map(([labels, value]) => `${name}${labels} ${value}`),
  ];
}

function labelSet(labels: { readonly [name: string]: string }): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return `{${pairs.join(",")}}`;
}

function escapeLabel(text: string): string {
  return shortened(text).replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n");
}
