import type { Shipped } from "../core/planted.ts";
import { duration, number } from "./counted.ts";
import { type Paint, painter } from "./paint.ts";
import type { PlantedEntry, PlantedRecord } from "./planted-record.ts";
import {
  independentJudges,
  judgedRow,
  judgesOfReport,
  onlyBy,
  PLANTED_COLUMNS,
  plantedRow,
  plantedSentence,
} from "./planted-rows.ts";
import { printable } from "./printable.ts";

/** What `heddle mutants` prints: the table, what has to be said of single ones, and a sentence. */
export function plantedText(report: PlantedRecord, colour: boolean): string {
  const paint = painter(colour);
  const { results, unmutated, allJudges } = report;
  const rows = results.map(plantedRow);
  const table = lines(PLANTED_COLUMNS, rows).map((line, at) =>
    at === 0 ? paint("dim", line) : paintOutcome(paint, line, results[at - 1]),
  );
  const parts = [
    table,
    results.flatMap(remarks),
    allJudges ? judgesTable(report) : [],
    unmutated.map(shipped),
    [paint(report.verdict === "pass" ? "green" : "red", `${plantedSentence(report)}.`)],
  ];
  return parts
    .filter((part) => part.length > 0)
    .map((part) => `${part.join("\n")}\n`)
    .join("\n");
}

function paintOutcome(paint: Paint, line: string, result: PlantedEntry | undefined): string {
  const good = result?.outcome === "caught" || result?.outcome === "untold";
  return good ? line : paint("red", line);
}

function remarks({ name, equivalent, reason }: PlantedEntry): string[] {
  return [
    ...(equivalent === null ? [] : [printable(`${name} is equivalent: ${equivalent}`)]),
    ...(reason === null ? [] : [printable(`${name}: ${reason}`)]),
  ];
}

function judgesTable(report: PlantedRecord): string[] {
  const judges = judgesOfReport(report);
  const columns = [
    { title: "Found, by each judge alone, after" },
    ...judges.map((title) => ({ title, kind: "number" as const })),
  ];
  const rows = report.results.map((result) => judgedRow(result, judges));
  const alone = independentJudges(report).map((judge) => {
    const names = onlyBy(report, judge);
    return `Found by ${judge} alone: ${names.length === 0 ? "none" : names.join(", ")}.`;
  });
  return [...lines(columns, rows), ...alone];
}

function shipped({ gates, faults, verdict, executions, elapsedMs, reason }: Shipped): string {
  const count = `${number(executions)} executions in ${duration(elapsedMs)}`;
  const why = reason === null ? "" : `: ${printable(reason)}`;
  const struck = faults.length === 0 ? "" : `, faults ${faults.join(", ")}`;
  return `The service as shipped, gates ${gates.join(", ")}${struck}: ${verdict}, ${count}${why}`;
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
