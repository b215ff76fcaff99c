import type { Counterexample } from "../core/counterexample.ts";
import type { Json } from "../core/json.ts";
import { prettyJson } from "../core/json.ts";
import { clientOf, type Task } from "../core/schedule.ts";
import type { Result, Trace } from "../core/trace.ts";
import type { Violation } from "../core/verdict.ts";
import { anomalySentence } from "./anomaly.ts";
import { printable, quantity } from "./format-values.ts";
import { narrative } from "./narrative.ts";
import { orderTexts } from "./order-lines.ts";
import {
  counterexampleSize,
  mainViolation,
  replayCommand,
  replayFilePath,
  sizeBeforeShrinking,
} from "./replay-command.ts";
import { type Colours, coloursFor, wrap } from "./terminal.ts";
import {
  clientsIn,
  type Step,
  type TimelineEvent,
  type TimelineSource,
  timeline,
} from "./timeline.ts";
import {
  brokenLine,
  type ClientNames,
  clientTask,
  endsLine,
  faultLine,
  fieldsLine,
  MAX_EVIDENCE,
  operationLine,
  placeLine,
  privateTitle,
  resultLine,
  sendsLine,
  statementEnd,
  statementLine,
  taskName,
  taskNames,
  valuesLine,
} from "./trace-lines.ts";
import { serviceName } from "./verdict-sentence.ts";

export interface TextOptions {
  /** See `coloursFor`. */
  readonly colour: boolean;
  /** Where the reports are written. */
  readonly folder: string;
  /** The replay file or token that the counterexample was read from, if any. */
  readonly replay?: string;
  /** The command that shows the counterexample again, if it is not `heddle replay`. */
  readonly again?: string;
  /** In columns; 100 by default. */
  readonly width?: number;
}

const MIN_EVENT_WIDTH = 40;

const CLIENT_COLOURS = ["cyan", "magenta", "blue", "yellow"] as const;

/**
 * A counterexample for a terminal: the violated rule, the narrative, numbered steps with a column of
 * marks for each client (`●`: the scheduler chose it, `│`: it has a transaction open), the violations,
 * and the command that replays it.
 */
export function counterexampleText(c: Counterexample, options: TextOptions): string {
  const colours = coloursFor(options.colour);
  const width = options.width ?? 100;
  const { scenario, shrunk } = c;
  const anomaly = anomalySentence(c.trace, c.names);
  const before = sizeBeforeShrinking(c);
  const limit = shrunk.minimal ? "" : " (shrinking reached its budget)";
  const origin =
    c.regression === undefined
      ? `seed ${c.seed}, execution ${c.execution}`
      : `stored regression ${printable(c.regression)}`;
  const title = `${serviceName(c)}, ${origin}: ${counterexampleSize(c)}`;
  const lines = [
    colours(["bold", "red"], printable(mainViolation(c).name)),
    ...wrap(title, width),
    ...(before === undefined ? [] : wrap(`shrunk from ${before}${limit}`, width)),
    "",
    ...initialState(scenario.initial, width, colours),
    ...narrative(c).flatMap(({ text }) => wrap(text, width)),
    ...(c.serial === undefined
      ? []
      : serialRun({ ...c.serial, ...(c.names && { names: c.names }) }, width, colours)),
    "",
    ...stepTable(timeline(c), scenario.clients.length, width, colours, c.names),
    "",
    ...c.violations.flatMap((violation) => violationLines(violation, width, colours)),
    ...(anomaly === undefined ? [] : wrap(anomaly, width)),
    ...(c.unrepeated === undefined ? [] : wrap(c.unrepeated.why, width)),
    "",
    `${colours("bold", "Replay it:")} ${options.again ?? replayCommand(options.replay ?? replayFilePath(options.folder, c), c.replayWith)}`,
  ];
  return `${lines.join("\n")}\n`;
}

/** Nothing for a scenario without an initial state of its own. */
function initialState(initial: Json, width: number, colours: Colours): string[] {
  if (initial === null) return [];
  const lines = prettyJson(initial, width)
    .split("\n")
    .map((line) => printable(line));
  return [colours("dim", "initial state"), ...lines, ""];
}

function serialRun(serial: TimelineSource, width: number, colours: Colours): string[] {
  return [
    "",
    colours("dim", "executed one after the other, the same operations do not violate the rule"),
    ...narrative(serial).flatMap(({ text }) => wrap(text, width)),
  ];
}

/** The violation, then the first rows of its evidence, a line for each, and what serial orders give instead. */
export function violationLines(violation: Violation, width: number, colours: Colours): string[] {
  const { name, checker, message, evidence } = violation;
  const [first = "", ...rest] = wrap(printable(`${name} (${checker}): ${message}`), width);
  const rows = evidence.slice(0, MAX_EVIDENCE).flatMap((row) => wrap(fieldsLine(row), width - 2));
  const omitted = evidence.length - MAX_EVIDENCE;
  const more = omitted > 0 ? [`and ${quantity(omitted, "more row")}`] : [];
  const orders = orderTexts(violation).flatMap(({ title, lines }) => [
    ...wrap(title, width),
    ...lines.flatMap((line) => wrap(line, width - 2)).map((line) => `  ${line}`),
  ]);
  return [
    colours("red", first),
    ...rest,
    ...[...rows, ...more].map((line) => `  ${line}`),
    ...orders,
  ];
}

/**
 * The steps of a trace as lines, without the heading.
 *
 * @param skip the number of steps to leave out at the start
 */
export function stepLines(
  trace: Trace,
  skip: number,
  clients: number,
  names?: ClientNames,
): readonly string[] {
  return stepTable(timeline({ trace }).slice(skip), clients, 100, coloursFor(false), names).slice(
    1,
  );
}

function stepTable(
  steps: readonly Step[],
  clients: number,
  width: number,
  colours: Colours,
  names?: ClientNames,
): string[] {
  const columns = clientsIn(steps, clients).map((client) => ({
    client,
    title: columnTitle(client, names),
  }));
  const head = `step  ${columns.map(({ title }) => title).join(" ")}  `;
  // The marks of many clients leave no room on a line.
  const room = Math.max(width - head.length, MIN_EVENT_WIDTH);
  const rows = steps.flatMap((step) => {
    const number = String(step.number).padStart(4);
    const open = (client: number) => (step.inTransaction.has(client) ? "│" : " ");
    const mark = (client: number) => (clientOf(step.task) === client ? "●" : open(client));
    const marks = (of: (client: number) => string) =>
      columns
        .map(({ client, title }) =>
          inClientColour(client, of(client).padEnd(title.length), colours),
        )
        .join(" ");
    return eventLines(step, room, colours, names).map((line, at) =>
      at === 0 ? `${number}  ${marks(mark)}  ${line}` : `      ${marks(open)}  ${line}`,
    );
  });
  return [colours("dim", head.trimEnd()), ...rows];
}

/** Longer names of clients are cut in the head of the table. */
const MAX_TITLE = 8;

function columnTitle(client: number, names: ClientNames = []): string {
  return printable((names[client] ?? String(client)).slice(0, MAX_TITLE));
}

/** The events of a step in lines of at most `width` columns. Each event begins with its task. */
function eventLines(
  { task, preempts, events }: Step,
  width: number,
  colours: Colours,
  names: ClientNames | undefined,
): string[] {
  const labelled = (of: Task, { text, style = "none" }: StyledText) => {
    const label = `${taskName(of, names)}  `;
    return wrap(text, width - label.length).map((line, at) => {
      const lead =
        at === 0 ? inClientColour(clientOf(of), label, colours) : " ".repeat(label.length);
      return lead + colours(style, line);
    });
  };
  return [
    ...(preempts === undefined
      ? []
      : labelled(task, {
          text: `preempts ${taskName(clientTask(preempts), names)}`,
          style: "italic",
        })),
    ...events.flatMap((event) => labelled(event.task, eventText(event, names))),
  ];
}

interface StyledText {
  readonly text: string;
  readonly style?: Parameters<Colours>[0];
}

function eventText(event: TimelineEvent, names: ClientNames | undefined): StyledText {
  const client = clientOf(event.task);
  switch (event.type) {
    case "operation":
      return { text: sendsLine(operationLine(event.operation), client, names) };
    case "statement": {
      const { statement, result } = event;
      const values = valuesLine(statement);
      const text = statementLine(statement) + (values === "" ? "" : ` [${values}]`);
      return result === undefined ? { text } : withResult(text, result);
    }
    case "private": {
      const lines = event.statements.map(({ statement }) => statementLine(statement));
      return { text: `${privateTitle(lines)}: ${lines.join("; ")}`, style: "dim" };
    }
    case "wait":
      return {
        text: `waits for a lock of ${taskNames(event.for, names)}`,
        style: "yellow",
      };
    case "fault":
      return { text: faultLine(event, names), style: "red" };
    case "gate":
      return { text: `stops in ${placeLine(event.place)}`, style: "dim" };
    case "result":
      return withResult(statementEnd(event.waited, event.result), event.result);
    case "deliver":
      return { text: "receives the result" };
    case "response":
      return { text: endsLine(event.response, client, names), style: "bold" };
    case "broken":
      return { text: brokenLine(event), style: "red" };
  }
}

function withResult(text: string, result: Result): StyledText {
  const style = result.error ? "red" : result.tags.includes("COMMIT") ? "green" : "none";
  return { text: `${text} → ${resultLine(result)}`, style };
}

function inClientColour(client: number, text: string, colours: Colours): string {
  return colours(CLIENT_COLOURS[client % CLIENT_COLOURS.length] ?? "dim", text);
}

/** A line for each client: its state after the last step of a trace. */
export function clientStates(
  trace: Trace,
  clients: number,
  names?: ClientNames,
): readonly string[] {
  const states = Array.from({ length: clients }, () => "has not started");
  const steps = timeline({ trace });
  for (const event of steps.flatMap(({ events }) => events)) {
    const client = clientOf(event.task);
    if (client < 0 || client >= clients) continue;
    states[client] = stateAfter(event, names) ?? states[client] ?? "";
  }
  const open = steps.at(-1)?.inTransaction;
  return states.map((state, client) => {
    const inside = open?.has(client) && !state.startsWith("got") ? ", in a transaction" : "";
    return `${taskName(clientTask(client), names)}: ${state}${inside}`;
  });
}

/** Undefined if the event does not change what the client is doing. */
function stateAfter(event: TimelineEvent, names: ClientNames | undefined): string | undefined {
  switch (event.type) {
    case "operation":
      return `has sent ${event.operation.name}`;
    case "statement":
      return event.result === undefined
        ? `is running ${statementLine(event.statement)}`
        : `has run ${statementLine(event.statement)}`;
    case "private":
      return `has run ${event.statements.map(({ statement }) => statementLine(statement)).join("; ")}`;
    case "gate":
      return `is held in ${placeLine(event.place)}`;
    case "wait":
      return `waits for a lock of ${taskNames(event.for, names)}`;
    case "result":
      return `has run ${statementLine(event.statement)}`;
    case "response":
      return `got the response ${event.response.code}`;
    default:
      return undefined;
  }
}
