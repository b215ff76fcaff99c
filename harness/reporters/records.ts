import { readFile } from "node:fs/promises";
import path from "node:path";
import type { LayersRecord } from "./layers-record.ts";
import type { PlantedRecord } from "./planted-record.ts";
import { isLayersRecord, isPlantedRecord } from "./record-schema.ts";

/** Where other commands leave what a campaign's report shows too. */
export const RECORDS = { planted: "mutants.json", layers: "layers.json" } as const;

/** What was found out about the model of a campaign, in the folder of its report. */
export interface Records {
  readonly planted?: PlantedRecord;
  readonly layers?: LayersRecord;
}

/** The text of a record's file. */
export function recordJson(record: PlantedRecord | LayersRecord): string {
  return `${JSON.stringify(record, null, 2)}\n`;
}

/** Those of a folder that are about this model; a file that is damaged is as good as none. */
export async function readRecords(folder: string, model: string): Promise<Records> {
  const planted = await parsed(path.join(folder, RECORDS.planted));
  const layers = await parsed(path.join(folder, RECORDS.layers));
  return {
    ...(isPlantedRecord(planted) && planted.model === model && { planted }),
    ...(isLayersRecord(layers) && layers.model === model && { layers }),
  };
}

/** The files that these came from. */
export function recordNames({ planted, layers }: Records): readonly string[] {
  return [...(planted ? [RECORDS.planted] : []), ...(layers ? [RECORDS.layers] : [])];
}

async function parsed(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, "utf8"));
  } catch {
    return undefined; // There is none, or it is no JSON.
  }
}
