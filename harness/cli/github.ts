import { appendFile } from "node:fs/promises";
import type { Campaign } from "../explorer/campaign.ts";
import { githubAnnotations, markdownSummary } from "../reporters/github.ts";

/**
 * Where it runs in GitHub Actions: annotations on stderr, which the runner reads as well (stdout
 * may be JSON), and the job's summary. A summary that cannot be written changes no verdict.
 */
export async function tellGithub(
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
