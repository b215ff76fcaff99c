import { readFile } from "node:fs/promises";
import path from "node:path";
import type { LayersRecord } from "./layers-record.ts";
import {
  isLayersRecord,
  isScoreRecord,
  isSeededBugRecord,
  type ScoreRecord,
} from "./record-schema.ts";
import type { SeededBugRecord } from "./seeded-record.ts";

/** Where other operations leave what a campaign's report shows too. */
export const RECORDS = {
  seeded: "mutants.json",
  derived: "derived-mutants.json",
  layers: "layers.json",
} as const;

/** What was found out about the model of a campaign, in the folder of its report. */
export interface Records {
  readonly seeded?: SeededBugRecord;
  readonly derived?: ScoreRecord;
  readonly layers?: LayersRecord;
}

/** The text of a record's file. */
export function recordJson(record: SeededBugRecord | LayersRecord | ScoreRecord): string {
  return `${JSON.stringify(record, null, 2)}\n`;
}

/** Those of a folder that are about this model; a file that is damaged is as good as none. */
export async function readRecords(folder: string, model: string): Promise<Records> {
  const seeded = await parsed(path.join(folder, RECORDS.seeded));
  const derived = await parsed(path.join(folder, RECORDS.derived));
  const layers = await parsed(path.join(folder, RECORDS.layers));
  return {
    ...(isSeededBugRecord(seeded) && seeded.service === model && { seeded }),
    ...(isScoreRecord(derived) && derived.service === model && { derived }),
    ...(isLayersRecord(layers) && layers.service === model && { layers }),
  };
}

/** The files that these came from. */
export function recordNames(records: Records): readonly string[] {
  const names = ["seeded", "derived", "layers"] as const;
  return names.filter((name) => records[name] !== undefined).map((name) => RECORDS[name]);
}

async function parsed(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, "utf8"));
  } catch {
    return undefined; // There is none, or it is no JSON.
  }
}
