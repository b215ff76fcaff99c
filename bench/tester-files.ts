import { type Outcome, type Permutation, stepsOf } from "./permutations.ts";
import type { Answer, Spec } from "./sessions.ts";

/**
 * A spec in the language of PostgreSQL's isolationtester
 * (https://github.com/postgres/postgres/blob/REL_15_STABLE/src/test/isolation/README).
 */
export function specFile(spec: Spec, permutations: readonly Permutation[]): string {
  const sessions = spec.sessions.flatMap((steps, number) => [
    `session s${number}`,
    ...steps.map(({ name, sql }) => `step ${name} { ${sql} }`),
  ]);
  const lines = permutations.map((one) => `permutation ${stepsOf(spec, one).join(" ")}`);
  return [
    `setup { ${spec.setup} }`,
    `teardown { ${spec.teardown} }`,
    ...sessions,
    ...lines,
    "",
  ].join("\n");
}

/**
 * What isolationtester prints, by permutation (its steps, joined by spaces). Every step and the
 * teardown have to be on one line, and the teardown has to be a query.
 */
export function readOutput(text: string): Map<string, Outcome> {
  const [, ...blocks] = text.split(/^starting permutation: /m);
  return new Map(
    blocks.map((block) => {
      const [steps = "", ...lines] = block.split("\n");
      return [steps, readBlock(lines)];
    }),
  );
}

function readBlock(lines: readonly string[]): Outcome {
  const waited: string[] = [];
  const answers = new Map<string, Answer>();
  const tables: { step: string; rows: string[][] }[] = [];
  let step = "";
  lines.forEach((line, at) => {
    const [, started] = /^step (\w+): /.exec(line) ?? [];
    const [, error] = /^ERROR: {2}(.*)$/.exec(line) ?? [];
    if (started !== undefined) {
      step = started;
      answers.set(step, { step, rows: [] });
      if (line.endsWith(" <waiting ...>")) waited.push(step);
    } else if (error !== undefined) answers.set(step, { step, error });
    else if (/^-+(\+-+)*$/.test(line)) tables.push({ step, rows: rowsFrom(lines, at + 1) });
  });
  // The last table is the teardown's; it has no line that says so.
  const final = tables.pop()?.rows ?? [];
  for (const table of tables) answers.set(table.step, table);
  const byName = [...answers.values()].sort((a, b) => (a.step < b.step ? -1 : 1));
  return { waited, answers: byName, final };
}

function rowsFrom(lines: readonly string[], first: number): string[][] {
  const end = lines.findIndex((line, at) => at >= first && /^\(\d+ rows?\)$/.test(line));
  return lines.slice(first, end).map((line) => line.split("|").map((cell) => cell.trim()));
}
