import { FAULTS } from "../core/fault.ts";
import { clientOf, type Task } from "../core/schedule.ts";
import type { Result, Statement } from "../core/trace.ts";
import {
  clientTask,
  operationLine,
  placeLine,
  responseLine,
  statementLine,
  taskName,
} from "./one-line.ts";
import { printable } from "./printable.ts";
import { type Step, type TimelineAnswer, type TimelineEvent, timeline } from "./timeline.ts";

/** A stretch of steps of one client, in words. What is code stands between backticks. */
export interface Paragraph {
  /** Its first and last step. */
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

const LONGEST_CODE = 80;

/**
 * What happened, as one would tell it: a paragraph for each stretch in which one client moved, with
 * what the others had under way meanwhile, and at the end what is wrong with it.
 */
export function narrative(told: TimelineAnswer): Paragraph[] {
  const { violations = [] } = told;
  const paragraphs: Paragraph[] = [];
  const teller = new Teller();
  for (const steps of stretches(timeline(told))) {
    const [first] = steps;
    const last = steps.at(-1);
    if (first === undefined || last === undefined) continue;
    const text = teller.tell(first, steps);
    if (text !== "") paragraphs.push({ from: first.number, to: last.number, text });
  }
  if (violations.length === 0) return paragraphs;
  const end = paragraphs.at(-1)?.to ?? 0;
  const broken = violations.map(({ message }) => sentence(unmarked(printable(message)))).join(" ");
  return [...paragraphs, { from: end, to: end, text: `In the end: ${broken}` }];
}

function stretches(steps: readonly Step[]): Step[][] {
  const all: Step[][] = [];
  for (const step of steps) {
    const stretch = all.at(-1);
    if (stretch?.[0] !== undefined && clientOf(stretch[0].task) === clientOf(step.task)) {
      stretch.push(step);
    } else all.push([step]);
  }
  return all;
}

/** What a client does, without naming it. */
interface Part {
  readonly who: number;
  /** Who does it, if that is no client. */
  readonly subject?: string;
  readonly text: string;
  readonly passing?: boolean;
}

interface Answered {
  readonly task: Task;
  readonly statement: Statement;
  readonly result?: Result;
}

/** How far a client is with its operation. */
type Progress = "has read and not yet written" | "has written and not committed" | "has written";

/** Knows how far each client is that has a operation under way. */
class Teller {
  readonly #progress = new Map<number, Progress>();

  tell(first: Step, steps: readonly Step[]): string {
    const client = clientOf(first.task);
    const opening = this.#opening(first, client);
    const parts = steps.flatMap(({ happenings }) => happenings.flatMap((h) => this.#part(h)));
    // Of the gates on its way, the one at which it was left is worth telling.
    const worth = parts.filter(({ passing }, at) => !passing || at === parts.length - 1);
    const told = clauses(worth).join("; then ");
    return told === "" ? "" : sentence(opening + told);
  }

  /** What others have under way while this client moves. */
  #opening(first: Step, client: number): string {
    const open = [...first.inTransaction].filter((other) => !this.#progress.has(other));
    const states = [
      ...[...this.#progress].map(([other, how]) => ({ other, how })),
      ...open.map((other) => ({ other, how: "has a transaction open" })),
    ].filter(({ other }) => other !== client && other >= 0);
    const told = states.map(({ other, how }) => `${name(other)} ${how}`);
    return told.length === 0 ? "" : `While ${told.join(" and ")}, `;
  }

  #part(happening: TimelineEvent): Part[] {
    const { task } = happening;
    const does = (text: string): Part[] => [{ who: clientOf(task), text }];
    switch (happening.type) {
      case "operation":
        return does(`sends ${code(operationLine(happening.operation))}`);
      case "statement":
        return does(`runs ${code(statementLine(happening.statement))}${this.#answer(happening)}`);
      case "wait":
        return does(`has to wait for ${happening.for.map(taskName).join(" and ")}`);
      case "fault":
        if (happening.fault === "crash") {
          const [, text = ""] = FAULTS.crash.split("the server ");
          return [{ who: clientOf(task), subject: "the server", text }];
        }
        return does(`meets a fault (${FAULTS[happening.fault]})`);
      case "gate":
        return does(`stops in ${code(placeLine(happening.place))}`).map((it) => ({
          ...it,
          passing: true,
        }));
      case "result": {
        const end = happening.waited ? "waits no longer" : "is done";
        return does(`${end}${this.#answer(happening)}`);
      }
      case "deliver":
        return [];
      case "response":
        this.#progress.delete(clientOf(task));
        return does(`is told ${unmarked(responseLine(happening.response))}`);
      case "broken":
        return does(`leaves ${code(happening.rule)} broken`);
    }
  }

  #answer({ task, statement, result }: Answered): string {
    if (result === undefined) return "";
    const client = clientOf(task);
    const open = result.transaction !== "idle";
    const so = this.#progress.get(client);
    if (result.tags.some((tag) => /^(INSERT|UPDATE|DELETE|MERGE) .*[1-9]/.test(tag))) {
      this.#progress.set(client, open ? "has written and not committed" : "has written");
    } else if (so === "has written and not committed" && !open) {
      this.#progress.set(client, "has written");
    } else if (so === undefined && result.tags.some((tag) => tag.startsWith("SELECT"))) {
      this.#progress.set(client, "has read and not yet written");
    }
    if (result.error) return `, which fails: ${unmarked(printable(result.error.message))}`;
    return rows(statement, result);
  }
}

/** How many rows, where that says more than the statement. */
function rows(statement: Statement, { tags }: Result): string {
  const [, kind, count] =
    /^(SELECT|INSERT|UPDATE|DELETE|MERGE) (?:0 )?(\d+)$/.exec(tags.at(-1) ?? "") ?? [];
  if (kind === undefined || count === undefined || tags.length > 1) return "";
  if (kind === "SELECT" && /\w\s*\(/.test(statement.sql.split(/\bfrom\b/i)[1] ?? "")) return "";
  return ` (${count} ${count === "1" ? "row" : "rows"})`;
}

function code(line: string): string {
  const short = line.length <= LONGEST_CODE ? line : `${line.slice(0, LONGEST_CODE - 1)}…`;
  return `\`${unmarked(short)}\``;
}

function unmarked(text: string): string {
  return text.replaceAll("`", "'");
}

function name(client: number): string {
  return taskName(clientTask(client));
}

/** One clause for each stretch of parts about the same client: `client 0 does a, b and c`. */
function clauses(parts: readonly Part[]): string[] {
  const all: { who: string; texts: string[] }[] = [];
  for (const { who, subject = name(who), text } of parts) {
    const last = all.at(-1);
    if (last?.who === subject) last.texts.push(text);
    else all.push({ who: subject, texts: [text] });
  }
  return all.map(({ who, texts }) => {
    const before = texts.slice(0, -1).join(", ");
    return `${who} ${before}${before === "" ? "" : " and "}${texts.at(-1)}`;
  });
}

function sentence(text: string): string {
  return ended(text.charAt(0).toUpperCase() + text.slice(1));
}

function ended(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
