import { appendFile } from "node:fs/promises";
import path from "node:path";
import { HarnessError } from "../core/error.ts";
import type { Campaign } from "../explorer/campaign.ts";
import { writeEvidence } from "../reporters/evidence-files.ts";
import { githubAnnotations, markdownSummary } from "../reporters/github.ts";
import { reportJson } from "../reporters/json.ts";
import { refreshReport } from "../reporters/refresh.ts";
import { summary } from "../reporters/summary.ts";
import { counterexampleText } from "../reporters/text.ts";
import { PAGE, writeReports } from "../reporters/write.ts";

interface Publishing {
  /** The folder for the reports. */
  readonly folder: string;
  /** Prints the report as JSON instead of text. */
  readonly json: boolean;
  /** The sources that the evidence covers. */
  readonly sources: readonly URL[];
}

/** Writes a campaign's reports, and prints it. */
export async function publish(
  campaign: Campaign,
  { folder, json, sources }: Publishing,
): Promise<void> {
  const written = await writeReports(folder, campaign);
  await writeEvidence(folder, written, sources);
  await publishOnGithub(campaign, folder);
  if (json) {
    process.stdout.write(reportJson(campaign, folder));
    return;
  }
  const view = { colour: process.stdout.isTTY && process.stdout.hasColors(), folder };
  for (const counterexample of campaign.counterexamples) {
    process.stdout.write(`${counterexampleText(counterexample, view)}\n`);
  }
  process.stdout.write(summary(campaign, view));
}

/**
 * In GitHub Actions: prints annotations on stderr, which the runner reads as well as stdout, and
 * appends to the job's summary. A summary that cannot be written changes no verdict.
 */
export async function publishOnGithub(
  campaign: Campaign,
  folder: string,
  env: { readonly [name: string]: string | undefined } = process.env,
): Promise<void> {
  if (env["GITHUB_ACTIONS"] !== "true") return;
  for (const line of githubAnnotations(campaign, folder)) process.stderr.write(`${line}\n`);
  const page = env["GITHUB_STEP_SUMMARY"];
  if (!page) return;
  await appendFile(page, markdownSummary(campaign, folder)).catch((error: unknown) => {
    process.stderr.write(`the job's summary cannot be written: ${String(error)}\n`);
  });
}

/** Adds new results in `folder` to the page of a campaign there. A failure is printed only. */
export async function showInReport(folder: string): Promise<void> {
  const page = path.join(folder, PAGE);
  try {
    if (await refreshReport(folder)) process.stderr.write(`${page} shows the result too\n`);
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    process.stderr.write(`${page} does not show the result: ${error.message}\n`);
  }
}
