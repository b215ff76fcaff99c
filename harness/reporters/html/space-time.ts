import type { Counterexample } from "../../core/counterexample.ts";
import { clientOf, type Task } from "../../core/schedule.ts";
import type { Result } from "../../core/trace.ts";
import { clientTask, responseLine, resultLine, statementLine, taskName } from "../one-line.ts";
import { mainViolation } from "../replay-command.ts";
import { clientsIn, MOST_STEPS, type Step, type TimelineEvent, timeline } from "../timeline.ts";
import { html, type Markup } from "./markup.ts";

/** In units of the picture, which are pixels where there is room. */
const ROW = 27;
const LEFT = 70;
const TOP = 40;
/** From one task to the next: what there is room for on a page, within reason. */
const COLUMN = { least: 190, most: 260 };
const PAGE = 1000;
/** Of a character of a label. */
const CHARACTER = 6.7;

/**
 * Time runs downwards; a line for each client, and one for the database. What is cut short here
 * stands whole in the table of the same steps, which is also what a screen reader is given.
 */
export function spaceTimeDiagram(c: Counterexample): Markup {
  const steps = timeline(c);
  const background = steps.some((step) => step.happenings.some((h) => clientOf(h.task) < 0));
  const clients = [...clientsIn(steps, c.scenario.clients.length), ...(background ? [-1] : [])];
  const picture = new Picture(clients);
  for (const step of steps.slice(0, MOST_STEPS)) picture.step(step);
  return picture.drawn(mainViolation(c).name);
}

class Picture {
  readonly #clients: readonly number[];
  readonly #marks: Markup[] = [];
  readonly #brackets: Markup[] = [];
  /** Where each open transaction's bracket begins. */
  readonly #began = new Map<number, number>();
  readonly #column: number;
  #y = TOP;
  #broken = false;

  constructor(clients: readonly number[]) {
    this.#clients = clients;
    const room = (PAGE - LEFT) / (clients.length + 1);
    this.#column = Math.round(Math.min(Math.max(room, COLUMN.least), COLUMN.most));
  }

  step(step: Step): void {
    const top = this.#y;
    this.#marks.push(html`<text class="at" x="8" y="${top + 4}">${step.number}</text>`);
    if (step.preempts !== undefined) {
      const [from, to] = [this.#x(clientTask(step.preempts)), this.#x(step.task)];
      this.#marks.push(html`<path class="switch" d="M${from} ${top - 12}H${to}"/>`);
    }
    for (const happening of step.happenings) this.#happening(happening);
    if (step.happenings.length === 0) this.#y += ROW;
    for (const client of this.#clients) {
      const open = step.inTransaction.has(client);
      const began = this.#began.get(client);
      if (open && began === undefined) this.#began.set(client, top - 6);
      if (!open && began !== undefined) this.#close(client, top - 12);
    }
  }

  #happening(happening: TimelineEvent): void {
    const x = this.#x(happening.task);
    const y = this.#y;
    const side = x + 8;
    switch (happening.type) {
      case "operation":
        this.#marks.push(html`<circle class="said" cx="${x}" cy="${y}" r="4"/>`);
        this.#text(side, y, this.#cut(happening.operation.name), "strong");
        break;
      case "statement":
        this.#arrow(x, this.#server, y);
        this.#text(side, y - 8, this.#cut(statementLine(happening.statement)));
        if (happening.result !== undefined) this.#answer(x, happening.result);
        break;
      case "fault":
        this.#marks.push(html`<circle class="bad" cx="${x}" cy="${y}" r="5"/>`);
        this.#text(side, y, happening.fault, "bad");
        break;
      case "gate":
        this.#marks.push(
          html`<rect class="gate" x="${this.#server - 4}" y="${y - 4}" width="8" height="8"/>`,
        );
        this.#text(
          this.#server + 10,
          y,
          this.#cut(`${happening.place.of}, ${happening.place.line ?? "row"}`),
        );
        break;
      case "wait":
        for (const holder of happening.for) this.#arrow(x, this.#x(holder), y, "waits");
        this.#text(side, y - 8, `waits for ${happening.for.map(taskName).join(", ")}`, "doubt");
        break;
      case "result":
        this.#answer(x, happening.result);
        break;
      case "deliver":
        this.#text(side, y, "hears the answer");
        break;
      case "response":
        this.#marks.push(html`<circle class="said" cx="${x}" cy="${y}" r="4"/>`);
        this.#text(side, y, responseLine(happening.response), "strong");
        break;
      case "broken":
        this.#breach(y, happening.rule);
        break;
    }
    this.#y += ROW;
  }

  #answer(x: number, result: Result): void {
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

  #close(client: number, end: number): void {
    const began = this.#began.get(client);
    this.#began.delete(client);
    if (began === undefined) return;
    const x = this.#x(clientTask(client));
    this.#brackets.push(html`<path class="bracket" d="M${x} ${began}V${end}"/>`);
  }

  drawn(rule: string): Markup {
    for (const client of this.#clients) this.#close(client, this.#y - 12);
    // What no commit is known to have broken is broken in the end.
    if (!this.#broken) {
      this.#breach(this.#y, rule);
      this.#y += ROW;
    }
    const bottom = this.#y;
    const width = this.#server + this.#column;
    const tasks = [...this.#clients.map((client) => taskName(clientTask(client))), "database"];
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

  /** From here on the rule is broken. */
  #breach(y: number, rule: string): void {
    this.#marks.push(html`<path class="broken" d="M${LEFT} ${y}H${this.#server}"/>`);
    this.#text(LEFT, y + 14, `${rule} is broken`, "bad");
    this.#broken = true;
  }

  get #server(): number {
    return LEFT + this.#clients.length * this.#column;
  }

  #x(task: Task): number {
    return LEFT + this.#clients.indexOf(clientOf(task)) * this.#column;
  }

  /** What fits between two tasks. */
  #cut(text: string): string {
    const most = Math.floor((this.#column - 26) / CHARACTER);
    return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
  }
}
