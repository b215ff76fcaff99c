import { lineDiff } from "../harness/isolationtester/expected.ts";
import { type PermutationOutcome, type StepOrder, stepsOf } from "./permutations.ts";
import type { SessionAnswer, SessionSpec } from "./sessions.ts";

/**
 * A spec file for PostgreSQL's isolationtester
 * (https://github.com/postgres/postgres/blob/REL_15_STABLE/src/test/isolation/README).
 */
export function specFile(spec: SessionSpec, permutations: readonly StepOrder[]): string {
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
 * Reads the output of isolationtester. The keys are the names of the steps of each permutation,
 * joined by spaces. Each step must be on one line, and the teardown must be a query on one line.
 */
export function readOutput(text: string): Map<string, PermutationOutcome> {
  const [, ...blocks] = text.split(/^starting permutation: /m);
  return new Map(
    blocks.map((block) => {
      const [steps = "", ...lines] = block.split("\n");
      return [steps, readBlock(lines)];
    }),
  );
}

/**
 * The line diff of the first permutation that differs between two outputs; empty if none differs.
 * Permutations in which several steps wait at the same time are not compared, because the server
 * decides which of them continues first.
 */
export function differenceOfOutputs(theirs: string, ours: string): string {
  const others = blocksOf(ours);
  const blocks = blocksOf(theirs);
  const differences = Array.from({ length: Math.max(blocks.length, others.length) }, (_, at) =>
    mostWaiting(blocks[at] ?? "") > 1 ? "" : lineDiff(blocks[at] ?? "", others[at] ?? ""),
  );
  return differences.find((difference) => difference !== "") ?? "";
}

function blocksOf(text: string): string[] {
  return text.split(/^starting permutation: /m);
}

function mostWaiting(block: string): number {
  let [waiting, most] = [0, 0];
  for (const line of block.split("\n")) {
    if (line.endsWith(" <waiting ...>")) most = Math.max(most, ++waiting);
    else if (line.endsWith(": <... completed>")) waiting--;
  }
  return most;
}

function readBlock(lines: readonly string[]): PermutationOutcome {
  const waited: string[] = [];
  const answers = new Map<string, SessionAnswer>();
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
  // The last table is that of the teardown; no line marks it.
  const final = tables.pop()?.rows ?? [];
  for (const table of tables) answers.set(table.step, table);
  const byName = [...answers.values()].sort((a, b) => (a.step < b.step ? -1 : 1));
  return { waited, answers: byName, final };
}

function rowsFrom(lines: readonly string[], first: number): string[][] {
  const end = lines.findIndex((line, at) => at >= first && /^\(\d+ rows?\)$/.test(line));
  return lines.slice(first, end).map((line) => line.split("|").map((cell) => cell.trim()));
}
