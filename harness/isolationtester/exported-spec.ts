import {
  type Reproduction,
  sessionName,
  sessionSettings,
  stepOutcome,
  tasksOf,
  violationLines,
} from "./reproduction.ts";
import { withoutBraces, withValues } from "./sql-text.ts";

/**
 * A spec for PostgreSQL's isolationtester and for `heddle spec`, with one permutation: the statements in
 * the order of the execution, then the queries that show the violation.
 */
export function exportedSpec(reproduction: Reproduction): string {
  const { setup, steps, check } = reproduction;
  const sessions = tasksOf(reproduction).flatMap((task) => {
    const settings = sessionSettings(reproduction, task).map((sql) => `${sql};`);
    return [
      "",
      `session ${sessionName(task)}`,
      ...(settings.length === 0 ? [] : [`setup ${block(settings.join(" "))}`]),
      ...steps
        .filter((step) => step.task === task)
        .flatMap((step) => [
          comment(stepOutcome(step, sessionName)),
          `step s${step.number} ${block(withValues(step.statement))}`,
        ]),
    ];
  });
  const checks = check.map((sql, index) => ({ name: `check${index + 1}`, sql }));
  const order = [...steps.map(({ number }) => `s${number}`), ...checks.map(({ name }) => name)];
  return [
    ...violationLines(reproduction).map(comment),
    comment("Run this in an empty, disposable database as a superuser:"),
    comment("  isolationtester 'dbname=…' < this file, or: heddle spec this file"),
    "",
    ...setup.map((sql) => `setup ${block(sql)}`),
    ...sessions,
    "",
    ...(checks.length === 0 ? [] : [comment("Shows the violation."), "session check"]),
    ...checks.map(({ name, sql }) => `step ${name} ${block(sql)}`),
    "",
    `permutation ${order.join(" ")}`,
    "",
  ].join("\n");
}

function block(sql: string): string {
  const text = withoutBraces(sql.trim());
  // A comment at the end would contain the closing brace.
  return text.includes("\n") || text.includes("--") ? `{\n${text}\n}` : `{ ${text} }`;
}

function comment(text: string): string {
  return `# ${text.replaceAll(/\s+/g, " ")}`.trimEnd();
}
