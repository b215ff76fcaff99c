import path from "node:path";
import type { AttackReport } from "../attack/attack-report.ts";
import type { Counterexample } from "../core/counterexample.ts";
import { atomicWrite } from "../explorer/atomic-write.ts";
import type { Campaign } from "../explorer/campaign.ts";
import { encodeCounterexample } from "../explorer/counterexample-file.ts";
import { breaches, type LayersOfDefence } from "../mutation/layers.ts";
import type { MutationScore } from "../mutation/mutation-score.ts";
import type { SeededBugReport } from "../mutation/seeded-bugs.ts";
import { attackJunit } from "./attack.ts";
import { type ScoreRecord, scoreRecord } from "./derived-mutants.ts";
import { refreshEvidence } from "./evidence.ts";
import { attackHtml } from "./html/attack.ts";
import { scoreHtml } from "./html/derived-mutants.ts";
import { layersHtml } from "./html/layers.ts";
import { reportHtml } from "./html/report.ts";
import { seededBugsHtml } from "./html/seeded-bugs.ts";
import { attackJson, campaignJson, jsonText, readReport } from "./json.ts";
import { campaignJunit } from "./junit.ts";
import { type LayersRecord, layersRecord } from "./layers.ts";
import { readRecords, recordFiles } from "./records.ts";
import { replayFilePath } from "./replay-command.ts";
import { FILES, type WrittenReports } from "./report-files.ts";
import { type SeededBugRecord, seededBugRecord } from "./seeded-bugs.ts";

/*
 * All files are written atomically, and replay files before the reports that name them.
 */

/**
 * Writes `report.json`, `report.html`, `junit.xml` and the replay files of a campaign.
 *
 * @throws HarnessError `USAGE` if the folder cannot be written
 */
export async function writeReports(folder: string, campaign: Campaign): Promise<WrittenReports> {
  const counterexamples = await writeReplayFiles(folder, campaign.counterexamples);
  const json = await write(folder, FILES.report, campaignJson(campaign, folder));
  const { html, records } = await writeCampaignPage(folder, campaign);
  const junit = await write(folder, FILES.junit, campaignJunit(campaign, folder));
  return { json, html, junit, records, counterexamples };
}

/** Writes `report.html` of a campaign, with the other commands' records in the folder. */
async function writeCampaignPage(folder: string, campaign: Campaign) {
  // The records are about the service without the seeded bug.
  const records = campaign.mutant === null ? await readRecords(folder, campaign.service) : {};
  return {
    html: await write(folder, FILES.page, reportHtml(campaign, folder, records)),
    records: recordFiles(records).map((name) => path.join(folder, name)),
  };
}

/**
 * Writes `report.json`, `report.html` and `junit.xml` of an attack.
 *
 * @throws HarnessError `USAGE` if the folder cannot be written
 */
export async function writeAttackReports(
  folder: string,
  report: AttackReport,
): Promise<WrittenReports> {
  return {
    json: await write(folder, FILES.report, attackJson(report)),
    html: await write(folder, FILES.page, attackHtml(report)),
    junit: await write(folder, FILES.junit, attackJunit(report)),
    records: [],
    counterexamples: [],
  };
}

/**
 * Writes the page of the report in a folder again, with the records that are there now, and updates
 * the evidence.
 *
 * @returns whether the folder has a report
 * @throws HarnessError `USAGE` if the report is damaged, or the folder cannot be written
 */
export async function refreshReport(folder: string): Promise<boolean> {
  const report = await readReport(folder);
  if (report === undefined) return false;
  if (report.kind === "attack") {
    await write(folder, FILES.page, attackHtml(report.attack));
    await refreshEvidence(folder, []);
  } else {
    const { records } = await writeCampaignPage(folder, report.campaign);
    await refreshEvidence(folder, records);
  }
  return true;
}

/**
 * Writes `mutants.json`, `mutants.html`, and the replay file of each caught bug.
 *
 * @throws HarnessError `USAGE` if the folder cannot be written
 */
export async function writeSeededBugs(
  folder: string,
  report: SeededBugReport,
): Promise<SeededBugRecord> {
  await writeReplayFiles(
    folder,
    report.results.flatMap(({ counterexample }) => counterexample ?? []),
  );
  const record = seededBugRecord(report, folder);
  await write(folder, FILES.seededBugs, jsonText(record));
  await write(folder, FILES.seededBugsPage, seededBugsHtml(record));
  return record;
}

/**
 * Writes `derived-mutants.json` and `derived-mutants.html`.
 *
 * @throws HarnessError `USAGE` if the folder cannot be written
 */
export async function writeDerivedMutants(
  folder: string,
  score: MutationScore,
): Promise<ScoreRecord> {
  const record = scoreRecord(score);
  await write(folder, FILES.derivedMutants, jsonText(record));
  await write(folder, FILES.derivedMutantsPage, scoreHtml(score));
  return record;
}

/**
 * Writes `layers.json`, `layers.html`, and a replay file for each smallest set of protections without
 * which a promise breaks.
 *
 * @throws HarnessError `USAGE` if the folder cannot be written
 */
export async function writeLayers(folder: string, layers: LayersOfDefence): Promise<LayersRecord> {
  const broken = layers.promises.flatMap(breaches);
  await writeReplayFiles(
    folder,
    broken.flatMap(({ counterexample }) => counterexample ?? []),
  );
  const record = layersRecord(layers, folder);
  await write(folder, FILES.layers, jsonText(record));
  await write(folder, FILES.layersPage, layersHtml(record, layers, folder));
  return record;
}

async function writeReplayFiles(
  folder: string,
  counterexamples: readonly Counterexample[],
): Promise<readonly string[]> {
  const files: string[] = [];
  for (const counterexample of counterexamples) {
    const file = replayFilePath(folder, counterexample);
    await atomicWrite(file, encodeCounterexample(counterexample));
    files.push(file);
  }
  return files;
}

async function write(folder: string, name: string, text: string): Promise<string> {
  const file = path.join(folder, name);
  await atomicWrite(file, text);
  return file;
}
