import path from "node:path";
import { atomicWrite } from "../explorer/atomic-write.ts";
import { encodeCounterexample } from "../explorer/counterexample-file.ts";
import { breaches, type LayersOfDefence } from "../mutation/layers.ts";
import { layersHtml } from "./html/layers.ts";
import { type LayersRecord, layersRecord } from "./layers-record.ts";
import { RECORDS, recordJson } from "./records.ts";
import { replayFilePath } from "./replay-command.ts";

/**
 * Writes `layers.html` and `layers.json`, and first a replay file for each smallest way to break a
 * promise.
 * @throws HarnessError `USAGE` when the folder cannot be written
 */
export async function writeLayers(folder: string, layers: LayersOfDefence): Promise<LayersRecord> {
  for (const { counterexample } of layers.promises.flatMap(breaches)) {
    if (counterexample === null) continue;
    await atomicWrite(replayFilePath(folder, counterexample), encodeCounterexample(counterexample));
  }
  const record = layersRecord(layers, folder);
  await atomicWrite(path.join(folder, RECORDS.layers), recordJson(record));
  await atomicWrite(path.join(folder, "layers.html"), layersHtml(record, layers, folder));
  return record;
}
