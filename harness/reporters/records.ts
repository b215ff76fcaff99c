import { readFile } from "node:fs/promises";
import path from "node:path";
import { isScoreRecord, type ScoreRecord } from "./derived-mutants.ts";
import { parsedJson } from "./json.ts";
import { isLayersRecord, type LayersRecord } from "./layers.ts";
import { FILES } from "./report-files.ts";
import { isSeededBugRecord, type SeededBugRecord } from "./seeded-bugs.ts";

/** The results of other commands about a service, which the page of a campaign shows too. */
export interface Records {
  readonly seeded?: SeededBugRecord;
  readonly derived?: ScoreRecord;
  readonly layers?: LayersRecord;
}

/**
 * The records in a folder that are about this service. A record that is damaged, or that another
 * version of Heddle wrote, is left out.
 */
export async function readRecords(folder: string, service: string): Promise<Records> {
  const seeded = await readJson(path.join(folder, FILES.seededBugs));
  const derived = await readJson(path.join(folder, FILES.derivedMutants));
  const layers = await readJson(path.join(folder, FILES.layers));
  return {
    ...(isSeededBugRecord(seeded) && seeded.service === service && { seeded }),
    ...(isScoreRecord(derived) && derived.service === service && { derived }),
    ...(isLayersRecord(layers) && layers.service === service && { layers }),
  };
}

/** The names of the files that hold these records. */
export function recordFiles({ seeded, derived, layers }: Records): readonly string[] {
  return [
    ...(seeded === undefined ? [] : [FILES.seededBugs]),
    ...(derived === undefined ? [] : [FILES.derivedMutants]),
    ...(layers === undefined ? [] : [FILES.layers]),
  ];
}

async function readJson(file: string): Promise<unknown> {
  return parsedJson(await readFile(file, "utf8").catch(() => ""));
}
