import path from "node:path";
import { breaches, type LayersOfDefence } from "../core/layers.ts";
import { layersHtml } from "./html-layers.ts";
import { mainViolation, replayFilePath } from "./replay-command.ts";
import { encodeCounterexample } from "./replay-file.ts";
import { writeWhole } from "./write.ts";

/**
 * Writes `layers.html` and `layers.json`, and first a replay file for each smallest way to break a
 * promise.
 * @throws HarnessError `USAGE` when the folder cannot be written
 */
export async function writeLayers(folder: string, layers: LayersOfDefence): Promise<void> {
  for (const { counterexample } of layers.promises.flatMap(breaches)) {
    if (counterexample === null) continue;
    await writeWhole(replayFilePath(folder, counterexample), encodeCounterexample(counterexample));
  }
  await writeWhole(path.join(folder, "layers.json"), layersJson(layers, folder));
  await writeWhole(path.join(folder, "layers.html"), layersHtml(layers, folder));
}

/** The plain value, with the violation and the replay file in place of each counterexample. */
export function layersJson(layers: LayersOfDefence, folder: string): string {
  const promises = layers.promises.map((promise) => {
    const written = new Set(breaches(promise));
    const cases = promise.cases.map((it) => {
      const { counterexample, ...rest } = it;
      if (counterexample === null) return rest;
      const file = written.has(it) ? { file: replayFilePath(folder, counterexample) } : {};
      return { ...rest, violation: mainViolation(counterexample), ...file };
    });
    return { ...promise, cases };
  });
  return `${JSON.stringify({ version: 1, ...layers, promises }, null, 2)}\n`;
}
