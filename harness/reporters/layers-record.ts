import type { Violation } from "../core/verdict.ts";
import {
  breaches,
  type LayerCase,
  type LayersOfDefence,
  type PromiseLayers,
} from "../mutation/layers.ts";
import { mainViolation, replayFilePath } from "./replay-command.ts";

/** A case, with what broke instead of the whole trace. */
export type LayerEntry = Omit<LayerCase, "counterexample"> & {
  readonly violation?: Violation;
  /** What replays it; of the smallest ways to break the promise alone. */
  readonly file?: string;
};

export type PromiseEntry = Omit<PromiseLayers, "cases"> & {
  readonly cases: readonly LayerEntry[];
};

/** `layers.json`: all that is told of layers, but for how they break, is made of it. */
export interface LayersRecord extends Omit<LayersOfDefence, "preemptions" | "promises"> {
  readonly version: typeof LAYERS_VERSION;
  /** null: any number. */
  readonly preemptions: number | null;
  readonly promises: readonly PromiseEntry[];
}

export const LAYERS_VERSION = 2;

/** @param folder where the replay files are written to */
export function layersRecord(layers: LayersOfDefence, folder: string): LayersRecord {
  const { preemptions } = layers;
  const promises = layers.promises.map((promise) => {
    const written = new Set(breaches(promise));
    const cases = promise.cases.map((it): LayerEntry => {
      const { counterexample, ...rest } = it;
      if (counterexample === null) return rest;
      const file = written.has(it) ? { file: replayFilePath(folder, counterexample) } : {};
      return { ...rest, violation: mainViolation(counterexample), ...file };
    });
    return { ...promise, cases };
  });
  return {
    version: LAYERS_VERSION,
    ...layers,
    preemptions: Number.isFinite(preemptions) ? preemptions : null,
    promises,
  };
}
