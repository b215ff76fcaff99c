import path from "node:path";
import { atomicWrite } from "../explorer/atomic-write.ts";
import { encodeCounterexample } from "../explorer/counterexample-file.ts";
import type { SeededBugReport } from "../mutation/seeded-bugs.ts";
import { seededBugsHtml } from "./html/seeded.ts";
import { RECORDS, recordJson } from "./records.ts";
import { replayFilePath } from "./replay-command.ts";
import { type SeededBugRecord, seededBugRecord } from "./seeded-record.ts";

/**
 * Writes `mutants.json`, `mutants.html`, and a replay file for each counterexample: these first.
 *
 * @throws HarnessError `USAGE` when the folder cannot be written
 */
export async function writeSeededBugs(
  folder: string,
  report: SeededBugReport,
): Promise<SeededBugRecord> {
  for (const { counterexample } of report.results) {
    if (counterexample === null) continue;
    await atomicWrite(replayFilePath(folder, counterexample), encodeCounterexample(counterexample));
  }
  const record = seededBugRecord(report, folder);
  await atomicWrite(path.join(folder, RECORDS.seeded), recordJson(record));
  await atomicWrite(path.join(folder, "mutants.html"), seededBugsHtml(record));
  return record;
}
