import { appendFile } from "node:fs/promises";
import path from "node:path";
import type { AttackReport } from "../attack/attack-report.ts";
import { HarnessError } from "../core/error.ts";
import type { Campaign } from "../explorer/campaign.ts";
import { attackGithub, attackText } from "../reporters/attack.ts";
import { writeEvidence } from "../reporters/evidence.ts";
import { campaignGithub, type GithubReport } from "../reporters/github.ts";
import { attackJson, campaignJson } from "../reporters/json.ts";
import { FILES } from "../reporters/report-files.ts";
import { summary } from "../reporters/summary.ts";
import { counterexampleText } from "../reporters/text.ts";
import { refreshReport, writeAttackReports, writeReports } from "../reporters/write.ts";
import { print, printWorkflowCommands } from "./output.ts";

interface Publishing {
  /** The folder for the reports. */
  readonly folder: string;
  /** Prints the report as JSON instead of text. */
  readonly json: boolean;
  /** The sources that the evidence covers. */
  readonly sources: readonly URL[];
}

/**
 * Writes the reports and the evidence of a campaign, and prints it: also if they cannot be written, since
 * what was found would be lost.
 */
export async function publish(campaign: Campaign, { folder, json, sources }: Publishing) {
  try {
    await writeEvidence(folder, await writeReports(folder, campaign), sources);
  } finally {
    await printCampaign(campaign, folder, json);
  }
}

async function printCampaign(campaign: Campaign, folder: string, json: boolean): Promise<void> {
  await publishOnGithub(campaignGithub(campaign, folder));
  if (json) {
    print(campaignJson(campaign, folder));
    return;
  }
  const view = { colour: hasColours(), folder };
  for (const counterexample of campaign.counterexamples) {
    print(`${counterexampleText(counterexample, view)}\n`);
  }
  print(summary(campaign, view));
}

/** The same for an attack. */
export async function publishAttack(report: AttackReport, { folder, json, sources }: Publishing) {
  try {
    await writeEvidence(folder, await writeAttackReports(folder, report), sources);
  } finally {
    await publishOnGithub(attackGithub(report, folder));
    print(json ? attackJson(report) : attackText(report, { colour: hasColours(), folder }));
  }
}

function hasColours(): boolean {
  return process.stdout.isTTY && process.stdout.hasColors();
}

/**
 * In GitHub Actions: prints the annotations on stderr, which the runner reads as well as stdout, and
 * appends to the job's summary. A summary that cannot be written changes no verdict.
 */
export async function publishOnGithub(
  { annotations, summary }: GithubReport,
  env: { readonly [name: string]: string | undefined } = process.env,
): Promise<void> {
  if (env["GITHUB_ACTIONS"] !== "true") return;
  printWorkflowCommands(annotations);
  const page = env["GITHUB_STEP_SUMMARY"];
  if (!page) return;
  await appendFile(page, summary).catch((error: unknown) => {
    process.stderr.write(`the job's summary cannot be written: ${String(error)}\n`);
  });
}

/** Adds new results in `folder` to the page of a campaign there. A failure is printed only. */
export async function showInReport(folder: string): Promise<void> {
  const page = path.join(folder, FILES.page);
  try {
    if (await refreshReport(folder)) process.stderr.write(`${page} shows the result too\n`);
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    process.stderr.write(`${page} does not show the result: ${error.message}\n`);
  }
}
