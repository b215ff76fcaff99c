import path from "node:path";
import type { PlantedReport } from "../core/planted.ts";
import { plantedHtml } from "./html-planted.ts";
import { type PlantedRecord, plantedRecord } from "./planted-record.ts";
import { RECORDS, recordJson } from "./records.ts";
import { replayFilePath } from "./replay-command.ts";
import { encodeCounterexample } from "./replay-file.ts";
import { writeWhole } from "./write-whole.ts";

/**
 * Writes `mutants.json`, `mutants.html`, and a replay file for each counterexample: these first.
 *
 * @throws HarnessError `USAGE` when the folder cannot be written
 */
export async function writePlanted(folder: string, report: PlantedReport): Promise<PlantedRecord> {
  for (const { counterexample } of report.results) {
    if (counterexample === null) continue;
    await writeWhole(replayFilePath(folder, counterexample), encodeCounterexample(counterexample));
  }
  const record = plantedRecord(report, folder);
  await writeWhole(path.join(folder, RECORDS.planted), recordJson(record));
  await writeWhole(path.join(folder, "mutants.html"), plantedHtml(record));
  return record;
}
