import type { Violation } from "../core/verdict.ts";
import {
  breaches,
  conclusions,
  type LayerCase,
  type LayersOfDefence,
  type PromiseLayers,
} from "../mutation/layers.ts";
import { duration, printable, quantity, withShortTexts } from "./format-values.ts";
import {
  COUNT,
  guardFor,
  listOf,
  NUMBER,
  object,
  oneOf,
  orNull,
  PROVENANCE,
  TEXT,
  TEXTS,
} from "./record-schema.ts";
import { mainViolation, replayCommand, replayFilePath } from "./replay-command.ts";
import { type Colours, coloursFor, wrap } from "./terminal.ts";

const VERSION = 3;

/** A case, with its violation instead of the counterexample. */
export type LayerEntry = Omit<LayerCase, "counterexample"> & {
  readonly violation?: Violation;
  /** The replay file; only for a smallest set of protections without which the promise breaks. */
  readonly file?: string;
};

export type PromiseEntry = Omit<PromiseLayers, "cases"> & {
  readonly cases: readonly LayerEntry[];
};

/** `layers.json`. The text and the page about layers of defence are made from it. */
export interface LayersRecord extends Omit<LayersOfDefence, "preemptions" | "promises"> {
  readonly version: typeof VERSION;
  /** Null: no bound. */
  readonly preemptions: number | null;
  readonly promises: readonly PromiseEntry[];
}

/** @param folder where the replay files are written */
export function layersRecord(layers: LayersOfDefence, folder: string): LayersRecord {
  const { preemptions } = layers;
  const promises = layers.promises.map((promise) => {
    const withFile = new Set(breaches(promise));
    const cases = promise.cases.map((it): LayerEntry => {
      const { counterexample, ...entry } = it;
      if (counterexample === null) return entry;
      const file = withFile.has(it) ? { file: replayFilePath(folder, counterexample) } : {};
      return { ...entry, violation: mainViolation(counterexample), ...file };
    });
    return { ...promise, cases };
  });
  return withShortTexts({
    version: VERSION,
    ...layers,
    preemptions: Number.isFinite(preemptions) ? preemptions : null,
    promises,
  });
}

export const isLayersRecord = guardFor<LayersRecord>(
  object({
    version: { const: VERSION },
    service: TEXT,
    control: object({ gates: TEXTS, isolation: TEXT }),
    preemptions: orNull(COUNT),
    promises: listOf(
      object({
        ...{ name: TEXT, statement: TEXT, pairs: TEXTS },
        rules: listOf(object({ checker: TEXT, name: TEXT })),
        protections: listOf(object({ name: TEXT, description: TEXT })),
        cases: listOf(
          object({
            ...{ without: TEXTS, outcome: oneOf("holds", "breaks", "unknown") },
            ...{ reason: orNull(TEXT), executions: COUNT },
          }),
        ),
      }),
    ),
    executions: COUNT,
    elapsedMs: NUMBER,
    ...PROVENANCE,
  }),
);

const COLOURS = { holds: "green", breaks: "red", unknown: "yellow" } as const;

/** The output of `heddle layers`: for each promise, its cases and the conclusions. */
export function layersText(
  record: LayersRecord,
  options: { readonly colour: boolean; readonly width?: number },
): string {
  const colours = coloursFor(options.colour);
  const width = options.width ?? 100;
  const { service, preemptions, promises, executions, elapsedMs } = record;
  const bound = preemptions === null ? "" : ` with at most ${quantity(preemptions, "preemption")}`;
  const executed = `Executed: every interleaving${bound} of each promise's pairs of operations, until the first violation: ${quantity(executions, "execution")} in ${duration(elapsedMs)}.`;
  const lines = [
    colours("bold", `layers of defence: ${printable(service)}`),
    ...wrap(executed, width),
    ...promises.flatMap((promise) => ["", ...promiseLines(promise, width, colours)]),
  ];
  return `${lines.join("\n")}\n`;
}

function promiseLines(promise: PromiseEntry, width: number, colours: Colours): readonly string[] {
  const { name, statement, protections, cases } = promise;
  const titles = cases.map(removedProtections);
  const titleWidth = Math.max(...titles.map(({ length }) => length), 0);
  return [
    colours("bold", printable(name)),
    ...wrap(printable(statement), width),
    ...protections
      .flatMap((it) => wrap(`- ${it.name}: ${it.description}`, width))
      .map((line) => printable(line)),
    "",
    ...cases.map((it, at) => {
      const outcome = colours(COLOURS[it.outcome], it.outcome.padEnd(7));
      const detail = it.reason ?? violationSummary(it) ?? quantity(it.executions, "execution");
      return `  ${printable(titles[at] ?? "").padEnd(titleWidth)}  ${outcome}  ${printable(detail)}`;
    }),
    "",
    ...conclusions(promise).flatMap((sentence) => wrap(printable(sentence), width)),
    ...breaches(promise).flatMap(({ file }) => (file === undefined ? [] : [replayCommand(file)])),
  ];
}

/** `without the lock + the check`, or `with all protections`. */
export function removedProtections({ without }: Pick<LayerCase, "without">): string {
  return without.length === 0 ? "with all protections" : `without ${without.join(" + ")}`;
}

/** The violated rule with its message; undefined if the promise holds. */
export function violationSummary({ violation }: LayerEntry): string | undefined {
  return violation && `${violation.name}: ${violation.message}`;
}
