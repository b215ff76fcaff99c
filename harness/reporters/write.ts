import path from "node:path";
import { atomicWrite } from "../explorer/atomic-write.ts";
import type { Campaign } from "../explorer/campaign.ts";
import { encodeCounterexample } from "../explorer/counterexample-file.ts";
import { reportHtml } from "./html/report.ts";
import { reportJson } from "./json.ts";
import { junitXml } from "./junit.ts";
import { readRecords, recordNames } from "./records.ts";
import { replayFilePath } from "./replay-command.ts";

/** What people read. */
export const PAGE = "report.html";

/** Paths of what was written; they begin with the folder that was asked for. */
export interface Written {
  readonly json: string;
  readonly html: string;
  readonly junit: string;
  /** What the page shows of other operations' findings. */
  readonly records: readonly string[];
  readonly counterexamples: readonly string[];
}

/**
 * Writes `report.json`, `report.html`, `junit.xml` and a replay file for each counterexample: these first, so
 * that no report names one that is not there. Each file appears whole or not at all.
 *
 * @throws HarnessError `USAGE` when the folder cannot be written
 */
export async function writeReports(folder: string, campaign: Campaign): Promise<Written> {
  const json = path.join(folder, "report.json");
  const html = path.join(folder, PAGE);
  const junit = path.join(folder, "junit.xml");
  const counterexamples: string[] = [];
  for (const counterexample of campaign.counterexamples) {
    const file = replayFilePath(folder, counterexample);
    await atomicWrite(file, encodeCounterexample(counterexample));
    counterexamples.push(file);
  }
  await atomicWrite(json, reportJson(campaign, folder));
  const records = await writeHtml(folder, campaign);
  await atomicWrite(junit, junitXml(campaign, folder));
  return { json, html, junit, records, counterexamples };
}

/**
 * Writes `report.html` alone, with what other operations left in the folder about the same model.
 * Returns the paths of that.
 */
export async function writeHtml(folder: string, campaign: Campaign): Promise<readonly string[]> {
  // What is broken on purpose is not what they are about.
  const records = campaign.mutant === null ? await readRecords(folder, campaign.service) : {};
  await atomicWrite(path.join(folder, PAGE), reportHtml(campaign, folder, records));
  return recordNames(records).map((name) => path.join(folder, name));
}
