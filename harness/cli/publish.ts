import type { Campaign } from "../explorer/campaign.ts";
import { writeEvidence } from "../reporters/evidence-files.ts";
import { reportJson } from "../reporters/json.ts";
import { summary } from "../reporters/summary.ts";
import { counterexampleText } from "../reporters/text.ts";
import { writeReports } from "../reporters/write.ts";
import { tellGithub } from "./github.ts";

export interface Publishing {
  /** Where the reports go. */
  readonly folder: string;
  /** Whether to print the report as JSON, instead of as text. */
  readonly json: boolean;
  /** What the evidence is about, besides the reports. */
  readonly sources: readonly URL[];
}

/** Writes a campaign's reports, and prints it. */
export async function publish(campaign: Campaign, { folder, json, sources }: Publishing) {
  const written = await writeReports(folder, campaign);
  await writeEvidence(folder, written, sources);
  await tellGithub(campaign, folder);
  if (json) {
    process.stdout.write(reportJson(campaign, folder));
    return;
  }
  const view = { colour: process.stdout.isTTY && process.stdout.hasColors(), folder };
  for (const found of campaign.counterexamples) {
    process.stdout.write(`${counterexampleText(found, view)}\n`);
  }
  process.stdout.write(summary(campaign, view));
}
