import { GATE_NAMES } from "../../harness/core/control.ts";
import type { KnownBug } from "./known-bug.ts";
import type { Measurement, Search } from "./measure.ts";
import type { StackMeasurement } from "./stacks.ts";

const HEADER = [
  ...["bug", "caught", "gates", "executions", "seconds", "preemptions"],
  ...["replays of 20", "uncontrolled, of 100", "after the fix", "measured"],
];

/** The cells of a row of the table. */
function cellsOf({ before, replays, uncontrolled, after, ...row }: Measurement): readonly string[] {
  const { found } = before;
  return [
    `${row.name} (${row.version})`,
    found === null ? "no" : "yes",
    row.gates.length === GATE_NAMES.length ? "all" : row.gates.join(", "),
    found === null ? `none in ${before.executions}` : String(found.execution),
    before.seconds.toFixed(1),
    found === null ? "" : String(found.preemptions),
    found === null ? "" : String(replays),
    uncontrolled === null ? "did not end" : String(uncontrolled),
    after === null ? "open" : `${row.fixed}: ${afterText(after)}`,
    row.date,
  ];
}

function afterText({ verdict, covered, executions, found }: Search): string {
  if (found !== null) return `${verdict}: ${found.rule}`;
  return `${verdict} in ${executions} executions${covered === null ? "" : ` (${covered})`}`;
}

/** A row for a terminal: two lines for each bug, and a line for each difference. */
export function lineOf(measurement: Measurement): string {
  const cells = cellsOf(measurement).map((cell, index) => `${HEADER[index]}: ${cell}`);
  const differences = measurement.unexpected.map((text) => `\n  unexpected: ${text}`);
  return `${cells.slice(1).join("; ")}${differences.join("")}`.replace(
    /^/,
    `${cellsOf(measurement)[0]}\n  `,
  );
}

/** The table in Markdown: a row for each bug that was measured. */
function markdownOf(bugs: readonly KnownBug[], measurements: readonly Measurement[]): string {
  const row = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  const rows = bugs.flatMap(({ name, title, report }) => {
    const measurement = measurements.find((one) => one.name === name);
    if (measurement === undefined) return [];
    const [, ...cells] = cellsOf(measurement);
    const bug = `\`${name}\`, ${measurement.version}: ${title} ${report === null ? "Found by Heddle." : `[Report](${report})`}`;
    return row([bug, ...cells]);
  });
  return [row(HEADER), row(HEADER.map(() => "---")), ...rows].join("\n");
}

/** A row of the table of stacks, in Markdown. */
export function stackRow({ stack, packages, found, replays }: StackMeasurement): string {
  const versions = Object.entries(packages).map(([name, version]) => `${name} ${version}`);
  const cells = found === null ? ["no", "", ""] : ["yes", found.preemptions, replays];
  return `| ${[stack, versions.join(", "), ...cells].join(" | ")} |`;
}

const STACKS_HEADER = `| stack | packages | caught | preemptions | replays of 20 |
| --- | --- | --- | --- | --- |`;

const BUGS = ["<!-- npm run known -- --write -->", "<!-- end of the table -->"] as const;
const STACKS = [
  "<!-- npm run known -- --stacks --write -->",
  "<!-- end of the table of stacks -->",
] as const;

/** The page with a new table of bugs. */
export function withTable(
  page: string,
  bugs: readonly KnownBug[],
  measurements: readonly Measurement[],
): string {
  return replaced(page, BUGS, markdownOf(bugs, measurements));
}

/** The page with a new row in the table of stacks, instead of that stack's last one. */
export function withStack(page: string, row: string): string {
  const [begin, end] = STACKS;
  const table = page.slice(page.indexOf(begin) + begin.length, page.indexOf(end));
  const nameOf = (line: string) => line.split("|")[1];
  const others = table
    .split("\n")
    .filter((line) => /^\| (?!stack |--- )/.test(line) && nameOf(line) !== nameOf(row));
  return replaced(page, STACKS, [STACKS_HEADER, ...[...others, row].sort()].join("\n"));
}

function replaced(page: string, [begin, end]: readonly [string, string], table: string): string {
  const head = page.slice(0, page.indexOf(begin) + begin.length);
  return `${head}\n\n${table}\n\n${page.slice(page.indexOf(end))}`;
}
