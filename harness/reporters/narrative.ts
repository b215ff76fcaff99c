import { FAULTS } from "../core/fault.ts";
import { clientOf, type Task } from "../core/schedule.ts";
import type { Place, Result, Statement } from "../core/trace.ts";
import { beginning, capitalized, printable } from "./format-values.ts";
import { type Step, type TimelineEvent, type TimelineSource, timeline } from "./timeline.ts";
import {
  type ClientNames,
  clientTask,
  endsLine,
  operationLine,
  placeLine,
  privateTitle,
  sendsLine,
  statementEnd,
  statementLine,
  taskName,
  taskNames,
} from "./trace-lines.ts";

/** Consecutive steps of one client, in words. Code stands between backticks. */
export interface Paragraph {
  /** The numbers of its first and last step. */
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

const MAX_CODE_LENGTH = 80;

/**
 * An execution in words: a paragraph for each stretch of steps of one client, with the pending work of
 * the other clients; then the violations.
 */
export function narrative(source: TimelineSource): Paragraph[] {
  const { violations = [] } = source;
  const paragraphs: Paragraph[] = [];
  const narrator = new Narrator(source.names);
  for (const steps of stretches(timeline(source))) {
    const [first] = steps;
    const last = steps.at(-1);
    if (first === undefined || last === undefined) continue;
    const text = narrator.paragraph(first, steps);
    if (text !== "") paragraphs.push({ from: first.number, to: last.number, text });
  }
  if (violations.length === 0) return paragraphs;
  const end = paragraphs.at(-1)?.to ?? 0;
  const messages = violations.map(({ message }) => sentence(withoutBackticks(printable(message))));
  return [...paragraphs, { from: end, to: end, text: `Result: ${messages.join(" ")}` }];
}

/** Groups consecutive steps of the same client. */
function stretches(steps: readonly Step[]): Step[][] {
  const groups: Step[][] = [];
  for (const step of steps) {
    const group = groups.at(-1);
    if (group?.[0] !== undefined && clientOf(group[0].task) === clientOf(step.task)) {
      group.push(step);
    } else groups.push([step]);
  }
  return groups;
}

/** What a subject does, such as `client 0` and `runs begin`. */
interface Clause {
  readonly subject: string;
  readonly predicate: string;
  /** Whether it can be left out if another clause follows. */
  readonly passing?: boolean;
}

/** How far the operation of a client is. */
type Progress =
  | "has read but not yet written"
  | "has not yet committed"
  | "has written but not yet committed"
  | "has written";

/** Follows the progress of each client with a pending operation. */
class Narrator {
  readonly #progress = new Map<number, Progress>();
  /** Clients whose operation may have written without a command tag that says so. */
  readonly #unknown = new Set<number>();
  readonly #names: ClientNames | undefined;

  constructor(names: ClientNames | undefined) {
    this.#names = names;
  }

  paragraph(first: Step, steps: readonly Step[]): string {
    const opening = this.#pendingWork(first);
    const clauses = steps.flatMap(({ events }) => events.flatMap((event) => this.#clauses(event)));
    // Of the gates that a client passes, only the one at which the scheduler left it matters.
    const relevant = clauses.filter(({ passing }, at) => !passing || at === clauses.length - 1);
    const text = joined(relevant).join("; then ");
    return text === "" ? "" : sentence(opening + text);
  }

  /** `While client 1 has a transaction open, `: the pending work of the other clients. */
  #pendingWork({ task, inTransaction }: Step): string {
    const idle = [...inTransaction].filter((client) => !this.#progress.has(client));
    const states = [
      ...[...this.#progress].map(([client, state]) => ({ client, state })),
      ...idle.map((client) => ({ client, state: "has a transaction open" })),
    ].filter(({ client }) => client !== clientOf(task) && client >= 0);
    const texts = states.map(
      ({ client, state }) => `${taskName(clientTask(client), this.#names)} ${state}`,
    );
    return texts.length === 0 ? "" : `While ${texts.join(" and ")}, `;
  }

  #clauses(event: TimelineEvent): Clause[] {
    const client = clientOf(event.task);
    const subject = taskName(clientTask(client), this.#names);
    const clause = (predicate: string): Clause[] => [{ subject, predicate }];
    switch (event.type) {
      case "operation":
        return clause(sendsLine(code(operationLine(event.operation)), client, this.#names));
      case "statement":
        return clause(`runs ${code(statementLine(event.statement))}${this.#result(event)}`);
      case "private":
        for (const { statement, result } of event.statements)
          this.#follow(client, statement, result);
        return clause(`runs ${privateTitle(event.statements)}`);
      case "wait":
        return clause(`waits for a lock of ${taskNames(event.for, this.#names)}`);
      case "fault":
        if (event.fault === "crash") {
          const [, predicate = ""] = FAULTS.crash.split("the server ");
          return [{ subject: "the server", predicate }];
        }
        return clause(`meets a fault (${FAULTS[event.fault]})`);
      case "gate": {
        this.#reach(client, event.place);
        const predicate = `stops in ${code(placeLine(event.place))}`;
        return [{ subject, predicate, passing: true }];
      }
      case "result":
        return clause(`${statementEnd(event.waited, event.result)}${this.#result(event)}`);
      case "deliver":
        return [];
      case "response":
        this.#progress.delete(client);
        this.#unknown.delete(client);
        return clause(withoutBackticks(endsLine(event.response, client, this.#names)));
      case "broken":
        return clause(`leaves a state that violates ${code(event.rule)}`);
    }
  }

  #result({
    task,
    statement,
    result,
  }: {
    readonly task: Task;
    readonly statement: Statement;
    readonly result?: Result;
  }): string {
    if (result === undefined) return "";
    this.#follow(clientOf(task), statement, result);
    return result.error
      ? `, which fails: ${withoutBackticks(printable(result.error.message))}`
      : rowCount(statement, result);
  }

  /** Before its commit a statement has done its work, of which the result is not known yet. */
  #reach(client: number, { next }: Place): void {
    if (next !== "commit" || this.#progress.get(client) === "has written but not yet committed")
      return;
    this.#progress.set(client, "has not yet committed");
  }

  #follow(client: number, statement: Statement, { tags, transaction, error }: Result): void {
    if (this.#progress.get(client) === "has not yet committed") this.#progress.delete(client);
    if (error !== undefined) return;
    const open = transaction !== "idle";
    const progress = this.#progress.get(client);
    if (tags.some((tag) => WRITE.test(tag))) {
      this.#progress.set(client, open ? "has written but not yet committed" : "has written");
    } else if (progress === "has written but not yet committed" && !open) {
      this.#progress.set(client, "has written");
    } else if (tags.length > 0 && !tags.every((tag) => HARMLESS.test(tag))) {
      // A procedure, a DO block or a cursor: nothing is known of what it wrote.
      this.#unknown.add(client);
    } else if (tags.some((tag) => tag.startsWith("SELECT"))) {
      if (!onlyReads(statement.sql)) this.#unknown.add(client);
      else if (progress === undefined) this.#progress.set(client, "has read but not yet written");
    }
    if (this.#unknown.has(client) && this.#progress.get(client) === "has read but not yet written")
      this.#progress.delete(client);
  }
}

/** The command tags of statements that write, definitions included. */
const WRITE =
  /^(INSERT|UPDATE|DELETE|MERGE|COPY) .*[1-9]|^(CREATE|ALTER|DROP|TRUNCATE|GRANT|REVOKE|COMMENT|REINDEX|REFRESH|SELECT INTO|IMPORT)\b/;

/** The command tags of statements that cannot write. */
const HARMLESS =
  /^(SELECT|INSERT|UPDATE|DELETE|MERGE|COPY|BEGIN|START|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|SET|RESET|SHOW|LOCK|LISTEN|UNLISTEN|NOTIFY|DISCARD|PREPARE|DEALLOCATE|DECLARE|CLOSE|EXPLAIN|ANALYZE|FETCH|MOVE)\b/;

/** Functions that a query may call and that write nothing. */
const READING_CALLS =
  /\b(count|sum|min|max|avg|coalesce|now|lower|upper|length|array_agg|json_agg|jsonb_agg|string_agg|bool_and|bool_or|greatest|least|nullif|in|and|or|not|exists|any|all|values|over|on|using|as|where|from|select|join|when|then|else)\s*\(/gi;

/** Whether a query surely writes nothing: it calls no function that might. */
function onlyReads(sql: string): boolean {
  return (
    /^\s*(select|with|table|values)\b/i.test(sql) &&
    !/\w"?\s*\(/.test(sql.replace(READING_CALLS, " "))
  );
}

/** ` (1 row)`; empty if the number says no more than the statement, as for a function call. */
function rowCount(statement: Statement, { tags }: Result): string {
  const [, kind, count] =
    /^(SELECT|INSERT|UPDATE|DELETE|MERGE) (?:0 )?(\d+)$/.exec(tags.at(-1) ?? "") ?? [];
  if (kind === undefined || count === undefined || tags.length > 1) return "";
  if (kind === "SELECT" && /\w\s*\(/.test(statement.sql.split(/\bfrom\b/i)[1] ?? "")) return "";
  return ` (${count} ${count === "1" ? "row" : "rows"})`;
}

function code(line: string): string {
  const short = line.length <= MAX_CODE_LENGTH ? line : `${beginning(line, MAX_CODE_LENGTH - 1)}…`;
  return `\`${withoutBackticks(short)}\``;
}

function withoutBackticks(text: string): string {
  return text.replaceAll("`", "'");
}

/** Joins consecutive clauses with the same subject: `client 0 does a, b and c`. */
function joined(clauses: readonly Clause[]): string[] {
  const groups: { subject: string; predicates: string[] }[] = [];
  for (const { subject, predicate } of clauses) {
    const last = groups.at(-1);
    if (last?.subject === subject) last.predicates.push(predicate);
    else groups.push({ subject, predicates: [predicate] });
  }
  return groups.map(({ subject, predicates }) => {
    const before = predicates.slice(0, -1).join(", ");
    return `${subject} ${before}${before === "" ? "" : " and "}${predicates.at(-1)}`;
  });
}

function sentence(text: string): string {
  const start = capitalized(text);
  return /[.!?]$/.test(start) ? start : `${start}.`;
}
