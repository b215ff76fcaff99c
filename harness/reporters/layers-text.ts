import { breaches, conclusions, type LayerCase } from "../mutation/layers.ts";
import { type Colours, coloursFor } from "./colours.ts";
import { counted, duration } from "./counted.ts";
import type { LayerEntry, LayersRecord, PromiseEntry } from "./layers-record.ts";
import { printable } from "./printable.ts";
import { replayCommand } from "./replay-command.ts";
import type { TextOptions } from "./text.ts";
import { wrap } from "./wrap.ts";

const COLOURS = { holds: "green", breaks: "red", unknown: "yellow" } as const;

/** The layers of defence for a terminal: a matrix for each promise, and what it comes to. */
export function layersText(layers: LayersRecord, options: Omit<TextOptions, "folder">): string {
  const paint = coloursFor(options.colour);
  const width = options.width ?? 100;
  const { service, preemptions, promises, executions, elapsedMs } = layers;
  const bound = preemptions === null ? "" : ` with at most ${counted(preemptions, "preemption")}`;
  const all = `Every interleaving${bound} of each promise's pairs of operations, up to the first violation: ${counted(executions, "execution")} in ${duration(elapsedMs)}.`;
  const lines = [
    paint("bold", `layers of defence: ${printable(service)}`),
    ...wrap(all, width),
    ...promises.flatMap((promise) => ["", ...promiseLines(promise, width, paint)]),
  ];
  return `${lines.join("\n")}\n`;
}

function promiseLines(promise: PromiseEntry, width: number, paint: Colours): readonly string[] {
  const { name, statement, protections, cases } = promise;
  const head = Math.max(...cases.map((it) => withoutWords(it).length), 0);
  return [
    paint("bold", printable(name)),
    ...wrap(printable(statement), width),
    ...protections.flatMap((it) => wrap(`- ${it.name}: ${it.description}`, width)).map(printable),
    "",
    ...cases.map((it) => {
      const outcome = paint(COLOURS[it.outcome], it.outcome.padEnd(7));
      const detail = it.reason ?? brokenBy(it) ?? counted(it.executions, "execution");
      return `  ${printable(withoutWords(it)).padEnd(head)}  ${outcome}  ${printable(detail)}`;
    }),
    "",
    ...conclusions(promise).flatMap((sentence) => wrap(printable(sentence), width)),
    ...breaches(promise).flatMap(({ file }) => (file === undefined ? [] : [replayCommand(file)])),
  ];
}

/** What is taken away, in words. */
export function withoutWords({ without }: Pick<LayerCase, "without">): string {
  return without.length === 0 ? "as it is" : `without ${without.join(" + ")}`;
}

/** The rule that was broken, and what it says. */
export function brokenBy({ violation }: LayerEntry): string | undefined {
  return violation && `${violation.name}: ${violation.message}`;
}
