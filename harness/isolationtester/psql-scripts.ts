import type { Task } from "../core/schedule.ts";
import {
  type ExportedStep,
  type Reproduction,
  sessionName,
  sessionSettings,
  stepOutcome,
  tasksOf,
  violationLines,
} from "./reproduction.ts";
import { inOneMessage, withValues } from "./sql-text.ts";

/**
 * The files, by name, to repeat an execution with psql in several terminals: a README with the order, a
 * setup script, a script for each client that waits for return before each statement, and a script that
 * shows the violation.
 */
export function psqlScripts(reproduction: Reproduction): Map<string, string> {
  const tasks = tasksOf(reproduction);
  return new Map([
    ["README.md", readme(reproduction, tasks)],
    ["setup.sql", script(["\\set ON_ERROR_STOP on", ...reproduction.setup.map(inOneMessage)])],
    ...tasks.map((task) => [`${sessionName(task)}.sql`, client(reproduction, task)] as const),
    ["check.sql", script(reproduction.check.map(inOneMessage))],
  ]);
}

/** The README abbreviates longer statements. */
const MAX_STATEMENT_CHARACTERS = 60;

/** The text of psql's prompt before a step. */
export function promptOf({ number }: Pick<ExportedStep, "number">): string {
  return `step ${number}: press return `;
}

function client(reproduction: Reproduction, task: Task): string {
  const steps = reproduction.steps.filter((step) => step.task === task);
  return script([
    "\\set ECHO queries",
    ...sessionSettings(reproduction, task).map((sql) => `${sql};`),
    ...steps.flatMap((step) => [
      `\n-- ${oneLine(stepOutcome(step, sessionName))}`,
      `\\prompt '${promptOf(step)}' _`,
      inOneMessage(withValues(step.statement)),
    ]),
  ]);
}

function readme(reproduction: Reproduction, tasks: readonly Task[]): string {
  const files = tasks.map((task) => `${sessionName(task)}.sql`);
  const order = reproduction.steps.map(
    (step) =>
      `| ${step.number} | ${sessionName(step.task)} | ${abbreviated(step)} | ${cell(stepOutcome(step, sessionName))} |`,
  );
  return [
    "# A violation, step by step",
    "",
    ...violationLines(reproduction).map((line) => `- ${oneLine(line)}`),
    "",
    "You need a superuser and an empty, disposable database. `$URL` is its connection string.",
    "",
    "1. `psql -X -q -f setup.sql $URL`",
    `2. One in each terminal: ${files.map((file) => `\`psql -X -f ${file} $URL\``).join(", ")}`,
    "3. Press return in the order of the table. Wait for the answer to each step before the next,",
    "   unless the table says that the step waits.",
    "4. `psql -X -f check.sql $URL` shows the violation.",
    "",
    "| step | terminal | statement | outcome |",
    "|---|---|---|---|",
    ...order,
    "",
  ].join("\n");
}

function script(lines: readonly string[]): string {
  return `${lines.join("\n")}\n`;
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim();
}

function abbreviated({ statement }: ExportedStep): string {
  const line = cell(statement.sql);
  return line.length > MAX_STATEMENT_CHARACTERS
    ? `${line.slice(0, MAX_STATEMENT_CHARACTERS - 2)} …`
    : line;
}

function cell(text: string): string {
  return oneLine(text).replaceAll("|", "\\|");
}
