import type { Audit, AuditCheck } from "../audit/audit-report.ts";
import { fieldsLine } from "./one-line.ts";
import { attributes, element, testCase } from "./xml.ts";

/** An audit as tests: one for each check, and `audit`, which is an error where it is `unknown`. */
export function auditJunit({
  checks,
  verdict,
  reason,
  database,
  elapsedMs,
  startedAt,
}: Audit): string {
  const name = `heddle audit ${database}`;
  const counts = attributes({
    tests: checks.length + 1,
    failures: checks.filter((check) => check.verdict === "fail").length,
    errors: verdict === "unknown" ? 1 : 0,
    time: (elapsedMs / 1000).toFixed(3),
  });
  const cases = [
    ...checks.map(checkCase),
    testCase("audit", name, verdict === "unknown" ? [element("error", reason ?? "", "")] : []),
  ];
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites ${attributes({ name })} ${counts}>
<testsuite ${attributes({ name, timestamp: startedAt })} ${counts}>
${cases.join("\n")}
</testsuite>
</testsuites>
`;
}

function checkCase({ source, name, verdict, violations, details, offending }: AuditCheck): string {
  const rows = offending.map(fieldsLine).join("\n");
  const message = details ?? `violations: ${violations}`;
  const failure = verdict === "pass" ? [] : [element("failure", message, rows)];
  return testCase(name, `heddle.audit.${source}`, failure);
}
