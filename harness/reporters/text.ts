import type { Counterexample } from "../core/counterexample.ts";
import type { Json } from "../core/json.ts";
import { commandCount } from "../core/scenario.ts";
import { clientOf, type Lane } from "../core/schedule.ts";
import type { Result, Trace } from "../core/trace.ts";
import type { Violation } from "../core/verdict.ts";
import { anomalyLine } from "./anomaly.ts";
import { counted } from "./counted.ts";
import {
  brokenLine,
  commandLine,
  faultLine,
  fieldsLine,
  laneName,
  placeLine,
  responseLine,
  resultLine,
  statementLine,
  valuesLine,
} from "./one-line.ts";
import { type Paint, painter } from "./paint.ts";
import { prettyJson } from "./pretty-json.ts";
import { printable } from "./printable.ts";
import { mainViolation, replayCommand, replayFilePath } from "./replay-command.ts";
import { shrunkFrom } from "./shrunk-from.ts";
import { story } from "./story.ts";
import { clientsIn, type Happening, type Step, timeline } from "./timeline.ts";
import { subjectName } from "./verdict-sentence.ts";
import { wrap } from "./wrap.ts";

export interface TextOptions {
  /** See `painter`. */
  readonly colour: boolean;
  /** Where the reports are. */
  readonly folder: string;
  /** The replay file or token that the counterexample was read from, if it was. */
  readonly replay?: string;
  /** The command that shows the same again, where it is another than `heddle replay`. */
  readonly again?: string;
  /** Columns; 100 unless told. */
  readonly width?: number;
}

const CLIENT_COLOURS = ["cyan", "magenta", "blue", "yellow"] as const;

/**
 * A counterexample for a terminal: what broke, then numbered steps with a column of marks for each
 * client (`●` moved, `│` has a transaction open), then the command that replays it.
 */
export function counterexampleText(c: Counterexample, options: TextOptions): string {
  const paint = painter(options.colour);
  const width = options.width ?? 100;
  const { scenario, shrunk } = c;
  const anomaly = anomalyLine(c.trace);
  const size = `${counted(commandCount(scenario), "command")}, ${counted(c.preemptions, "preemption")}`;
  const from = shrunkFrom(c);
  const cut = shrunk.minimal ? "" : " (the budget ended first)";
  const lines = [
    paint(["bold", "red"], printable(mainViolation(c).name)),
    ...wrap(`${subjectName(c)}, seed ${c.seed}, execution ${c.execution}: ${size}`, width),
    ...(from === undefined ? [] : wrap(`shrunk from ${from}${cut}`, width)),
    "",
    ...initialState(scenario.initial, width, paint),
    ...story(c).flatMap(({ text }) => wrap(text, width)),
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
function initialState(initial: Json, width: number, paint: Paint): string[] {
  if (initial === null) return [];
  const lines = prettyJson(initial, width).split("\n").map(printable);
  return [paint("dim", "initial state"), ...lines, ""];
}

/** The steps of a trace after the first `known`, as the timeline tells them. */
export function stepLines(trace: Trace, known: number, clients: number): readonly string[] {
  const [, ...lines] = steps(timeline({ trace }).slice(known), clients, 100, painter(false));
  return lines;
}

function serialRun(
  serial: NonNullable<Counterexample["serial"]>,
  width: number,
  paint: Paint,
): string[] {
  return [
    "",
    paint("dim", "one after the other, the same commands keep the rule"),
    ...story(serial).flatMap(({ text }) => wrap(text, width)),
  ];
}

function steps(all: readonly Step[], clients: number, width: number, paint: Paint): string[] {
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

function mark(step: Step, client: number, paint: Paint): string {
  return clientOf(step.lane) === client ? inColour(client, "●", paint) : tie(step, client, paint);
}

function tie(step: Step, client: number, paint: Paint): string {
  return inColour(client, step.inTransaction.has(client) ? "│" : " ", paint);
}

/** A step in lines of at most `width` columns, each paragraph led by who it is about. */
function told(step: Step, width: number, paint: Paint): string[] {
  const paragraph = (lane: Lane, { text, style = "none" }: Words) => {
    const label = `${laneName(lane)}  `;
    return wrap(text, width - label.length).map((line, at) => {
      const lead = at === 0 ? inColour(clientOf(lane), label, paint) : " ".repeat(label.length);
      return lead + paint(style, line);
    });
  };
  const { lane, preempts } = step;
  const left = { text: `preempts client ${preempts}`, style: "italic" } as const;
  return [
    ...(preempts === undefined ? [] : paragraph(lane, left)),
    ...step.happenings.flatMap((happening) => paragraph(happening.lane, words(happening))),
  ];
}

interface Words {
  readonly text: string;
  readonly style?: Parameters<Paint>[0];
}

function words(happening: Happening): Words {
  switch (happening.type) {
    case "command":
      return { text: `sends ${commandLine(happening.command)}` };
    case "statement": {
      const { statement, result } = happening;
      const values = valuesLine(statement);
      const text = statementLine(statement) + (values === "" ? "" : ` [${values}]`);
      return result === undefined ? { text } : answered(text, result);
    }
    case "wait":
      return { text: `waits for ${happening.for.map(laneName).join(" and ")}`, style: "yellow" };
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

function inColour(client: number, text: string, paint: Paint): string {
  const colour = CLIENT_COLOURS[client % CLIENT_COLOURS.length];
  return colour === undefined ? paint("dim", text) : paint(colour, text);
}

function violationLines(violation: Violation, width: number, paint: Paint): string[] {
  const { name, judge, message, evidence } = violation;
  const [first = "", ...rest] = wrap(printable(`${name} (${judge}): ${message}`), width);
  const rows = evidence.flatMap((row) => wrap(fieldsLine(row), width - 2));
  return [paint("red", first), ...rest, ...rows.map((line) => `  ${line}`)];
}
