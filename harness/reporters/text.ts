import type { Counterexample } from "../core/counterexample.ts";
import { type Json, prettyJson } from "../core/json.ts";
import { operationCount } from "../core/scenario.ts";
import { clientOf, type Task } from "../core/schedule.ts";
import type { Result, Trace } from "../core/trace.ts";
import type { Violation } from "../core/verdict.ts";
import { anomalyLine } from "./anomaly.ts";
import { type Colours, coloursFor } from "./colours.ts";
import { counted } from "./counted.ts";
import { narrative } from "./narrative.ts";
import {
  brokenLine,
  faultLine,
  fieldsLine,
  operationLine,
  placeLine,
  responseLine,
  resultLine,
  statementLine,
  taskName,
  valuesLine,
} from "./one-line.ts";
import { printable } from "./printable.ts";
import { mainViolation, replayCommand, replayFilePath } from "./replay-command.ts";
import { shrunkFrom } from "./shrunk-from.ts";
import { clientsIn, type Step, type TimelineEvent, timeline } from "./timeline.ts";
import { serviceName } from "./verdict-sentence.ts";
import { wrap } from "./wrap.ts";

export interface TextOptions {
  /** See `painter`. */
  readonly colour: boolean;
  /** Where the reports are. */
  readonly folder: string;
  /** The replay file or token that the counterexample was read from, if it was. */
  readonly replay?: string;
  /** The operation that shows the same again, where it is another than `heddle replay`. */
  readonly again?: string;
  /** Columns; 100 unless told. */
  readonly width?: number;
}

const CLIENT_COLOURS = ["cyan", "magenta", "blue", "yellow"] as const;

/**
 * A counterexample for a terminal: what broke, then numbered steps with a column of marks for each
 * client (`●` moved, `│` has a transaction open), then the operation that replays it.
 */
export function counterexampleText(c: Counterexample, options: TextOptions): string {
  const paint = coloursFor(options.colour);
  const width = options.width ?? 100;
  const { scenario, shrunk } = c;
  const anomaly = anomalyLine(c.trace);
  const size = `${counted(operationCount(scenario), "operation")}, ${counted(c.preemptions, "preemption")}`;
  const from = shrunkFrom(c);
  const cut = shrunk.minimal ? "" : " (the budget ended first)";
  const lines = [
    paint(["bold", "red"], printable(mainViolation(c).name)),
    ...wrap(`${serviceName(c)}, seed ${c.seed}, execution ${c.execution}: ${size}`, width),
    ...(from === undefined ? [] : wrap(`shrunk from ${from}${cut}`, width)),
    "",
    ...initialState(scenario.initial, width, paint),
    ...narrative(c).flatMap(({ text }) => wrap(text, width)),
    ...(c.serial === undefined ? [] : serialRun(c.serial, width, paint)),
    "",
    ...steps(timeline(c), scenario.clients.length, width, paint),
    "",
    ...c.violations.flatMap((violation) => violationLines(violation, width, paint)),
    ...(anomaly === "" ? [] : wrap(anomaly, width)),
    "",
    `${paint("bold", "Replay it:")} ${options.again ?? replayCommand(options.replay ?? replayFilePath(options.folder, c))}`,
  ];
  return `${lines.join("\n")}\n`;
}

/** A scenario that was written down has none of its own. */
function initialState(initial: Json, width: number, paint: Colours): string[] {
  if (initial === null) return [];
  const lines = prettyJson(initial, width).split("\n").map(printable);
  return [paint("dim", "initial state"), ...lines, ""];
}

/** The steps of a trace after the first `known`, as the timeline tells them. */
export function stepLines(trace: Trace, known: number, clients: number): readonly string[] {
  const [, ...lines] = steps(timeline({ trace }).slice(known), clients, 100, coloursFor(false));
  return lines;
}

function serialRun(
  serial: NonNullable<Counterexample["serial"]>,
  width: number,
  paint: Colours,
): string[] {
  return [
    "",
    paint("dim", "one after the other, the same operations keep the rule"),
    ...narrative(serial).flatMap(({ text }) => wrap(text, width)),
  ];
}

function steps(all: readonly Step[], clients: number, width: number, paint: Colours): string[] {
  const columns = clientsIn(all, clients);
  const head = `step  ${columns.join(" ")}  `;
  const rows = all.flatMap((step) => {
    const number = String(step.number).padStart(4);
    const marks = columns.map((client) => mark(step, client, paint)).join(" ");
    const ties = columns.map((client) => tie(step, client, paint)).join(" ");
    const lines = told(step, width - head.length, paint);
    return lines.map(
      (line, at) => `${at === 0 ? `${number}  ${marks}` : `      ${ties}`}  ${line}`,
    );
  });
  return [paint("dim", head.trimEnd()), ...rows];
}

function mark(step: Step, client: number, paint: Colours): string {
  return clientOf(step.task) === client ? inColour(client, "●", paint) : tie(step, client, paint);
}

function tie(step: Step, client: number, paint: Colours): string {
  return inColour(client, step.inTransaction.has(client) ? "│" : " ", paint);
}

/** A step in lines of at most `width` columns, each paragraph led by who it is about. */
function told(step: Step, width: number, paint: Colours): string[] {
  const paragraph = (task: Task, { text, style = "none" }: Words) => {
    const label = `${taskName(task)}  `;
    return wrap(text, width - label.length).map((line, at) => {
      const lead = at === 0 ? inColour(clientOf(task), label, paint) : " ".repeat(label.length);
      return lead + paint(style, line);
    });
  };
  const { task, preempts } = step;
  const left = { text: `preempts client ${preempts}`, style: "italic" } as const;
  return [
    ...(preempts === undefined ? [] : paragraph(task, left)),
    ...step.happenings.flatMap((happening) => paragraph(happening.task, words(happening))),
  ];
}

interface Words {
  readonly text: string;
  readonly style?: Parameters<Colours>[0];
}

function words(happening: TimelineEvent): Words {
  switch (happening.type) {
    case "operation":
      return { text: `sends ${operationLine(happening.operation)}` };
    case "statement": {
      const { statement, result } = happening;
      const values = valuesLine(statement);
      const text = statementLine(statement) + (values === "" ? "" : ` [${values}]`);
      return result === undefined ? { text } : answered(text, result);
    }
    case "wait":
      return { text: `waits for ${happening.for.map(taskName).join(" and ")}`, style: "yellow" };
    case "fault":
      return { text: faultLine(happening), style: "red" };
    case "gate":
      return { text: `stands in ${placeLine(happening.place)}`, style: "dim" };
    case "result":
      return answered(happening.waited ? "waits no longer" : "is done", happening.result);
    case "deliver":
      return { text: "hears the answer" };
    case "response":
      return { text: `is answered ${responseLine(happening.response)}`, style: "bold" };
    case "broken":
      return { text: brokenLine(happening), style: "red" };
  }
}

function answered(text: string, result: Result): Words {
  const style = result.error ? "red" : result.tags.includes("COMMIT") ? "green" : "none";
  return { text: `${text} → ${resultLine(result)}`, style };
}

function inColour(client: number, text: string, paint: Colours): string {
  const colour = CLIENT_COLOURS[client % CLIENT_COLOURS.length];
  return colour === undefined ? paint("dim", text) : paint(colour, text);
}

function violationLines(violation: Violation, width: number, paint: Colours): string[] {
  const { name, checker, message, evidence } = violation;
  const [first = "", ...rest] = wrap(printable(`${name} (${checker}): ${message}`), width);
  const rows = evidence.flatMap((row) => wrap(fieldsLine(row), width - 2));
  return [paint("red", first), ...rest, ...rows.map((line) => `  ${line}`)];
}
