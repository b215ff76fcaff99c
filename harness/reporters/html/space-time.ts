import type { Counterexample } from "../../core/counterexample.ts";
import { clientOf, type Task } from "../../core/schedule.ts";
import type { Result } from "../../core/trace.ts";
import { beginning } from "../format-values.ts";
import { mainViolation } from "../replay-command.ts";
import {
  clientsIn,
  MAX_PAGE_STEPS,
  type Step,
  type TimelineEvent,
  timeline,
  usesBackground,
} from "../timeline.ts";
import {
  type ClientNames,
  clientTask,
  privateTitle,
  responseLine,
  resultLine,
  statementLine,
  taskName,
  taskNames,
} from "../trace-lines.ts";
import { html, type Markup } from "./markup.ts";

/** Lengths are in units of the SVG, which are pixels if the page is wide enough. */
const ROW = 27;
const LEFT = 70;
const TOP = 40;
/** The limits of the distance between two lifelines. */
const COLUMN = { least: 190, most: 260 };
const PAGE_WIDTH = 1000;
/** The width of a character of a label. */
const CHARACTER = 6.7;

/**
 * A lifeline for each client and one for the database; time runs downwards. The table of the same
 * steps holds the full texts, and serves screen readers.
 */
export function spaceTimeDiagram(c: Counterexample): Markup {
  const steps = timeline(c);
  const clients = [
    ...clientsIn(steps, c.scenario.clients.length),
    ...(usesBackground(steps) ? [-1] : []),
  ];
  const diagram = new Diagram(clients, c.names);
  for (const step of steps.slice(0, MAX_PAGE_STEPS)) diagram.addStep(step);
  return diagram.finish(mainViolation(c).name);
}

class Diagram {
  readonly #clients: readonly number[];
  readonly #names: ClientNames | undefined;
  readonly #marks: Markup[] = [];
  readonly #brackets: Markup[] = [];
  /** The clients with an open transaction, and where their brackets begin. */
  readonly #openBrackets = new Map<number, number>();
  readonly #column: number;
  #y = TOP;
  #broken = false;

  constructor(clients: readonly number[], names: ClientNames | undefined) {
    this.#clients = clients;
    this.#names = names;
    const room = (PAGE_WIDTH - LEFT) / (clients.length + 1);
    this.#column = Math.round(Math.min(Math.max(room, COLUMN.least), COLUMN.most));
  }

  addStep(step: Step): void {
    const top = this.#y;
    this.#marks.push(html`<text class="at" x="8" y="${top + 4}">${step.number}</text>`);
    if (step.preempts !== undefined) {
      const [from, to] = [this.#x(clientTask(step.preempts)), this.#x(step.task)];
      this.#marks.push(html`<path class="switch" d="M${from} ${top - 12}H${to}"/>`);
    }
    for (const event of step.events) this.#addEvent(event);
    if (step.events.length === 0) this.#y += ROW;
    for (const client of this.#clients) {
      const open = step.inTransaction.has(client);
      const began = this.#openBrackets.get(client);
      if (open && began === undefined) this.#openBrackets.set(client, top - 6);
      if (!open && began !== undefined) this.#closeBracket(client, top - 12);
    }
  }

  #addEvent(event: TimelineEvent): void {
    const x = this.#x(event.task);
    const y = this.#y;
    const side = x + 8;
    switch (event.type) {
      case "operation":
        this.#marks.push(html`<circle class="said" cx="${x}" cy="${y}" r="4"/>`);
        this.#text(side, y, this.#cut(event.operation.name), "strong");
        break;
      case "statement":
        this.#arrow(x, this.#server, y);
        this.#text(side, y - 8, this.#cut(statementLine(event.statement)));
        if (event.result !== undefined) this.#addResult(x, event.result);
        break;
      case "private":
        this.#arrow(x, this.#server, y);
        this.#text(side, y - 8, this.#cut(privateTitle(event.statements)));
        break;
      case "fault":
        this.#marks.push(html`<circle class="bad" cx="${x}" cy="${y}" r="5"/>`);
        this.#text(side, y, event.fault, "bad");
        break;
      case "gate":
        this.#marks.push(
          html`<rect class="gate" x="${this.#server - 4}" y="${y - 4}" width="8" height="8"/>`,
        );
        this.#text(
          this.#server + 10,
          y,
          this.#cut(`${event.place.of}, ${event.place.line ?? event.place.next}`),
        );
        break;
      case "wait":
        for (const holder of event.for) this.#arrow(x, this.#x(holder), y, "waits");
        this.#text(
          side,
          y - 8,
          `waits for a lock of ${taskNames(event.for, this.#names)}`,
          "doubt",
        );
        break;
      case "result":
        this.#addResult(x, event.result);
        break;
      case "deliver":
        this.#text(side, y, "receives the result");
        break;
      case "response":
        this.#marks.push(html`<circle class="said" cx="${x}" cy="${y}" r="4"/>`);
        this.#text(side, y, responseLine(event.response), "strong");
        break;
      case "broken":
        this.#violationLine(y, event.rule);
        break;
    }
    this.#y += ROW;
  }

  #addResult(x: number, result: Result): void {
    const kind = result.error ? "bad" : result.tags.includes("COMMIT") ? "good" : "";
    if (kind !== "") {
      this.#marks.push(html`<circle class="${kind}" cx="${this.#server}" cy="${this.#y}" r="5"/>`);
    }
    this.#arrow(this.#server, x, this.#y + 7, "back");
    this.#text(this.#server + 10, this.#y + 4, this.#cut(resultLine(result)), kind);
  }

  #arrow(from: number, to: number, y: number, kind = ""): void {
    const tip = Math.sign(to - from) * 6;
    const head = `M${to - tip} ${y - 3}L${to} ${y}L${to - tip} ${y + 3}`;
    this.#marks.push(html`<path class="arrow ${kind}" d="M${from} ${y}H${to}${head}"/>`);
  }

  #text(x: number, y: number, text: string, kind = ""): void {
    this.#marks.push(html`<text class="${kind}" x="${x}" y="${y + 4}">${text}</text>`);
  }

  #closeBracket(client: number, end: number): void {
    const began = this.#openBrackets.get(client);
    this.#openBrackets.delete(client);
    if (began === undefined) return;
    const x = this.#x(clientTask(client));
    this.#brackets.push(html`<path class="bracket" d="M${x} ${began}V${end}"/>`);
  }

  /** @param rule the rule that is violated at the end, if no step is known to have violated it */
  finish(rule: string): Markup {
    for (const client of this.#clients) this.#closeBracket(client, this.#y - 12);
    if (!this.#broken) {
      this.#violationLine(this.#y, rule);
      this.#y += ROW;
    }
    const bottom = this.#y;
    const width = this.#server + this.#column;
    const tasks = [
      ...this.#clients.map((client) => taskName(clientTask(client), this.#names)),
      "database",
    ];
    const lines = tasks.map((name, at) => {
      const x = LEFT + at * this.#column;
      return html`<text class="strong" x="${x}" y="16" text-anchor="middle">${name}</text><path class="task" d="M${x} 24V${bottom}"/>`;
    });
    return html`<div class="scroll picture" tabindex="0" role="group" aria-label="Space-time diagram">
<svg viewBox="0 0 ${width} ${bottom + 8}" width="${width}" role="img" aria-label="Space-time diagram: the steps of the table below, one line for each client and one for the database, from top to bottom.">
${lines}${this.#brackets}${this.#marks}
</svg></div>
`;
  }

  /** From here on, the rule is violated. */
  #violationLine(y: number, rule: string): void {
    this.#marks.push(html`<path class="broken" d="M${LEFT} ${y}H${this.#server}"/>`);
    this.#text(LEFT, y + 14, `${rule} is violated`, "bad");
    this.#broken = true;
  }

  get #server(): number {
    return LEFT + this.#clients.length * this.#column;
  }

  #x(task: Task): number {
    return LEFT + this.#clients.indexOf(clientOf(task)) * this.#column;
  }

  /** Shortens a text so that it fits between two lifelines. */
  #cut(text: string): string {
    const most = Math.floor((this.#column - 26) / CHARACTER);
    return text.length <= most ? text : `${beginning(text, most - 1)}…`;
  }
}
