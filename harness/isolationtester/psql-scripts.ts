import type { Task } from "../core/schedule.ts";
import { type ExportedStep, sessionName } from "./exported-steps.ts";
import { type Reproduction, seen, sessionSettings, tasksOf, whatBroke } from "./reproduction.ts";
import { inOneMessage, withValues } from "./sql-text.ts";

/**
 * Files for people with psql and several terminals, by name: a script for each client that waits
 * for a return before each statement, one that sets up, one that shows the violation, and a README
 * with the order.
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

/** Of a statement in the table. */
const LONGEST = 60;

/** What psql says before it waits for a return. */
export function promptOf({ number }: Pick<ExportedStep, "number">): string {
  return `step ${number}: press return `;
}

function client(reproduction: Reproduction, task: Task): string {
  const steps = reproduction.steps.filter((step) => step.task === task);
  return script([
    "\\set ECHO queries",
    ...sessionSettings(reproduction, task).map((sql) => `${sql};`),
    ...steps.flatMap((step) => [
      `\n-- ${oneLine(seen(step, sessionName))}`,
      `\\prompt '${promptOf(step)}' _`,
      inOneMessage(withValues(step.statement)),
    ]),
  ]);
}

function readme(reproduction: Reproduction, tasks: readonly Task[]): string {
  const files = tasks.map((task) => `${sessionName(task)}.sql`);
  const order = reproduction.steps.map(
    (step) =>
      `| ${step.number} | ${sessionName(step.task)} | ${beginning(step)} | ${cell(seen(step, sessionName))} |`,
  );
  return [
    "# A violation, step by step",
    "",
    ...whatBroke(reproduction).map((line) => `- ${oneLine(line)}`),
    "",
    "You need a superuser, and an empty database that may be thrown away; `$URL` stands for it.",
    "",
    "1. `psql -X -q -f setup.sql $URL`",
    `2. In a terminal each: ${files.map((file) => `\`psql -X -f ${file} $URL\``).join(", ")}`,
    "3. Press return in the order of the table. Do not go on before the step has answered, unless",
    "   the table says that it waits.",
    "4. `psql -X -f check.sql $URL` shows what is wrong.",
    "",
    "| step | terminal | statement | what is to be seen |",
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

/** So much of a statement that a reader knows it again. */
function beginning({ statement }: ExportedStep): string {
  const line = cell(statement.sql);
  return line.length > LONGEST ? `${line.slice(0, LONGEST - 2)} …` : line;
}

function cell(text: string): string {
  return oneLine(text).replaceAll("|", "\\|");
}
