import type { Audit } from "../audit/audit-report.ts";

/**
 * An audit in the text format of Prometheus, for the textfile collector of its node exporter:
 * https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
 */
export function auditPrometheus({
  database,
  checks,
  verdict,
  startedAt,
  elapsedMs,
}: Audit): string {
  const at = label({ database });
  const seconds = (ms: number): string => String(ms / 1000);
  return [
    ...metric("heddle_audit_violations", "Rows that break a check.", [
      ...checks.map(
        ({ source, name, violations }) =>
          [label({ database, function: source, check: name }), String(violations)] as const,
      ),
    ]),
    ...metric(
      "heddle_audit_passed",
      "1 if every check passed; 0 if one failed or none could say.",
      [[at, verdict === "pass" ? "1" : "0"]],
    ),
    ...metric("heddle_audit_complete", "1 if every check was made.", [
      [at, verdict === "unknown" ? "0" : "1"],
    ]),
    ...metric("heddle_audit_duration_seconds", "How long the audit took.", [
      [at, seconds(elapsedMs)],
    ]),
    ...metric("heddle_audit_timestamp_seconds", "When the audit began.", [
      [at, seconds(Date.parse(startedAt))],
    ]),
    "",
  ].join("\n");
}

function metric(
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

function label(labels: { readonly [name: string]: string }): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return `{${pairs.join(",")}}`;
}

const escaped = (text: string): string => text.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n");
