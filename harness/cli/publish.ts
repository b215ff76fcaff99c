import type { AttackReport } from "../attack/attack-report.ts";
import type { Campaign } from "../explorer/campaign-report.ts";
import { attackGithub, attackText } from "../reporters/attack.ts";
import { writeEvidence } from "../reporters/evidence.ts";
import { campaignGithub } from "../reporters/github.ts";
import { attackJson, campaignJson } from "../reporters/json.ts";
import { summary } from "../reporters/summary.ts";
import { counterexampleText } from "../reporters/text.ts";
import { writeAttackReports, writeReports } from "../reporters/write.ts";
import { reportToGithub } from "./github.ts";

export interface Publishing {
  /** Where the reports are written. */
  readonly folder: string;
  /** Whether to print the report as JSON instead of text. */
  readonly json: boolean;
  /** The sources that the evidence names, besides the reports. */
  readonly sources: readonly URL[];
}

/** Writes the reports and the evidence of a campaign, and prints it. */
export async function publish(campaign: Campaign, { folder, json, sources }: Publishing) {
  await writeEvidence(folder, await writeReports(folder, campaign), sources);
  await reportToGithub(campaignGithub(campaign, folder));
  if (json) {
    process.stdout.write(campaignJson(campaign, folder));
    return;
  }
  const view = { colour: hasColours(), folder };
  for (const counterexample of campaign.counterexamples) {
    process.stdout.write(`${counterexampleText(counterexample, view)}\n`);
  }
  process.stdout.write(summary(campaign, view));
}

/** Writes the reports and the evidence of an attack, and prints it. */
export async function publishAttack(report: AttackReport, { folder, json, sources }: Publishing) {
  await writeEvidence(folder, await writeAttackReports(folder, report), sources);
  await reportToGithub(attackGithub(report, folder));
  process.stdout.write(
    json ? attackJson(report) : attackText(report, { colour: hasColours(), folder }),
  );
}

function hasColours(): boolean {
  return process.stdout.isTTY && process.stdout.hasColors();
}
