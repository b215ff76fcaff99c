import type { Audit, AuditCheck } from "../audit/audit-report.ts";
import { coloursFor } from "./colours.ts";
import { counted, duration } from "./counted.ts";
import { fieldsLine } from "./one-line.ts";
import { printable } from "./printable.ts";

const STYLE = { pass: "green", fail: "red", unknown: "yellow" } as const;

/** An audit for a terminal: a line for each check, and the rows at fault below it. */
export function auditText(audit: Audit, colour: boolean): string {
  const paint = coloursFor(colour);
  const { database, postgres, checks, verdict, reason, startedAt, elapsedMs } = audit;
  const width = Math.max(0, ...checks.map(({ name }) => name.length));
  const lines = [
    paint("bold", printable(`audit of ${database}, PostgreSQL ${postgres}, ${startedAt}`)),
    ...checks.flatMap((check) => [
      `${paint(STYLE[check.verdict], check.verdict.toUpperCase())}  ${printable(check.name.padEnd(width))}  ${counted(check.violations, "violation")}`,
      ...(check.verdict === "fail" ? found(check) : []),
    ]),
    `${paint(STYLE[verdict], verdict.toUpperCase())} in ${duration(elapsedMs)}${reason === null ? "" : `: ${printable(reason)}`}`,
  ];
  return `${lines.join("\n")}\n`;
}

function found({ details, offending, violations }: AuditCheck): readonly string[] {
  const more = violations - offending.length;
  return [
    ...(details === null ? [] : [`      ${printable(details)}`]),
    ...offending.map((row) => `      ${fieldsLine(row)}`),
    ...(offending.length > 0 && more > 0 ? [`      and ${more} more`] : []),
  ];
}
