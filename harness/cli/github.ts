import { appendFile } from "node:fs/promises";
import type { GithubReport } from "../reporters/github.ts";

/**
 * In GitHub Actions: prints the annotations to stderr, because stdout can be JSON and the runner reads
 * both, and appends to the summary of the job. A summary that cannot be written changes no verdict.
 */
export async function reportToGithub(
  { annotations, summary }: GithubReport,
  env: { readonly [name: string]: string | undefined } = process.env,
): Promise<void> {
  if (env["GITHUB_ACTIONS"] !== "true") return;
  for (const line of annotations) process.stderr.write(`${line}\n`);
  const page = env["GITHUB_STEP_SUMMARY"];
  if (!page) return;
  await appendFile(page, summary).catch((error: unknown) => {
    process.stderr.write(`the summary of the job cannot be written: ${String(error)}\n`);
  });
}
