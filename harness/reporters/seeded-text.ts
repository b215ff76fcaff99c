import type { BaselineResult } from "../mutation/seeded-bugs.ts";
import { type Colours, coloursFor } from "./colours.ts";
import { duration, number } from "./counted.ts";
import { printable } from "./printable.ts";
import type { SeededBugEntry, SeededBugRecord } from "./seeded-record.ts";
import {
  checkerRow,
  checkersOfReport,
  independentCheckers,
  onlyBy,
  SEEDED_BUG_COLUMNS,
  seededBugRow,
  seededBugsSentence,
} from "./seeded-rows.ts";

/** What `heddle mutants` prints: the table, what has to be said of single ones, and a sentence. */
export function seededBugsText(report: SeededBugRecord, colour: boolean): string {
  const paint = coloursFor(colour);
  const { results, unmutated, allCheckers } = report;
  const rows = results.map(seededBugRow);
  const table = lines(SEEDED_BUG_COLUMNS, rows).map((line, at) =>
    at === 0 ? paint("dim", line) : paintOutcome(paint, line, results[at - 1]),
  );
  const parts = [
    table,
    results.flatMap(remarks),
    allCheckers ? checkersTable(report) : [],
    unmutated.map(baseline),
    [paint(report.verdict === "pass" ? "green" : "red", `${seededBugsSentence(report)}.`)],
  ];
  return parts
    .filter((part) => part.length > 0)
    .map((part) => `${part.join("\n")}\n`)
    .join("\n");
}

function paintOutcome(paint: Colours, line: string, result: SeededBugEntry | undefined): string {
  const good = result?.outcome === "caught" || result?.outcome === "untold";
  return good ? line : paint("red", line);
}

function remarks({ name, equivalent, reason }: SeededBugEntry): string[] {
  return [
    ...(equivalent === null ? [] : [printable(`${name} is equivalent: ${equivalent}`)]),
    ...(reason === null ? [] : [printable(`${name}: ${reason}`)]),
  ];
}

function checkersTable(report: SeededBugRecord): string[] {
  const checkers = checkersOfReport(report);
  const columns = [
    { title: "Found, by each checker alone, after" },
    ...checkers.map((title) => ({ title, kind: "number" as const })),
  ];
  const rows = report.results.map((result) => checkerRow(result, checkers));
  const alone = independentCheckers(report).map((checker) => {
    const names = onlyBy(report, checker);
    return `Found by ${checker} alone: ${names.length === 0 ? "none" : names.join(", ")}.`;
  });
  return [...lines(columns, rows), ...alone];
}

function baseline({
  gates,
  faults,
  verdict,
  executions,
  elapsedMs,
  reason,
}: BaselineResult): string {
  const count = `${number(executions)} executions in ${duration(elapsedMs)}`;
  const why = reason === null ? "" : `: ${printable(reason)}`;
  const struck = faults.length === 0 ? "" : `, faults ${faults.join(", ")}`;
  return `The service without a bug, gates ${gates.join(", ")}${struck}: ${verdict}, ${count}${why}`;
}

interface Column {
  readonly title: string;
  readonly kind?: "number";
}

function lines(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const all = [columns.map(({ title }) => title), ...rows];
  const widths = columns.map((_, at) => Math.max(...all.map((row) => row[at]?.length ?? 0)));
  return all.map((row) =>
    columns
      .map(({ kind }, at) => {
        const [cell, width] = [row[at] ?? "", widths[at] ?? 0];
        return kind === "number" ? cell.padStart(width) : cell.padEnd(width);
      })
      .join("  ")
      .trimEnd(),
  );
}
