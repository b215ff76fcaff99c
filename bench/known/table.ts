import type { Measurement, Search } from "./measure.ts";

const HEADER = [
  ...["bug", "caught", "gates", "executions", "seconds", "preemptions"],
  ...["replays of 20", "uncontrolled, of 100", "after the fix"],
];

/** The cells of a row of the table. */
function cellsOf({ before, replays, uncontrolled, after, ...row }: Measurement): readonly string[] {
  const { found } = before;
  return [
    `${row.name} (${row.version})`,
    found === null ? "no" : "yes",
    row.gates.join(", "),
    found === null ? `none in ${before.executions}` : String(found.execution),
    before.seconds.toFixed(1),
    found === null ? "" : String(found.preemptions),
    found === null ? "" : String(replays),
    uncontrolled === null ? "did not end" : String(uncontrolled),
    after === null ? "open" : `${row.fixed}: ${afterText(after)}`,
  ];
}

function afterText({ verdict, complete, executions, found }: Search): string {
  const searched = `${verdict}, ${complete ? "all" : "a sample of"} ${executions} executions`;
  return found === null ? searched : `still ${found.rule}`;
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

/** The table in Markdown. */
function markdownOf(measurements: readonly Measurement[]): string {
  const row = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [
    row(HEADER),
    row(HEADER.map(() => "---")),
    ...measurements.map((one) => {
      const [bug = "", ...cells] = cellsOf(one);
      return row([`[${bug}](../examples/known/${one.name}/scenario.mjs)`, ...cells]);
    }),
  ].join("\n");
}

const [BEGIN, END] = ["<!-- npm run known -- --write -->", "<!-- end of the table -->"];

/** The page with a new table. */
export function withTable(page: string, measurements: readonly Measurement[]): string {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  const head = page.slice(0, begin + BEGIN.length);
  return `${head}\n\n${markdownOf(measurements)}\n\n${page.slice(end)}`;
}
