import path from "node:path";
import type { Command } from "commander";
import { HarnessError } from "../core/error.ts";
import { mergeShards, type ShardPart } from "../explorer/shards.ts";
import { FILES } from "../reporters/report-files.ts";
import { readShard } from "../reporters/shard-file.ts";
import { refreshReport } from "../reporters/write.ts";
import { EXIT, exitCodeOfCampaign } from "./exit.ts";
import { print } from "./output.ts";
import { publish } from "./publish.ts";
import { requireFolder } from "./writable.ts";

interface Options {
  readonly merge?: readonly string[];
  readonly report: string;
  readonly json?: boolean;
}

/**
 * `heddle report`: writes the page of a report again, with the other results in its folder. With
 * `--merge`, it merges the reports of shards into one, and exits with the code of that campaign.
 */
export function addReport(command: Command, finished: (exitCode: number) => void): void {
  command
    .option("--merge <folders...>", "the folders of the shards' reports")
    .option("--report <folder>", "the folder for report.json and report.html", "reports")
    .option("--json", "print report.json instead of the summary")
    .action(async (options: Options) => finished(await runCommand(options)));
}

async function runCommand({ merge, report, json }: Options): Promise<number> {
  if (merge === undefined) return refresh(report);
  await requireFolder(report, "--report");
  const parts = await Promise.all(merge.map((folder) => readShard<ShardPart>(folder)));
  const campaign = mergeShards(parts);
  await publish(campaign, { folder: report, json: json === true, sources: [] });
  return exitCodeOfCampaign(campaign.verdict, undefined);
}

async function refresh(folder: string): Promise<number> {
  if (await refreshReport(folder)) {
    print(`${path.join(folder, FILES.page)} is up to date\n`);
    return EXIT.pass;
  }
  throw new HarnessError(
    "USAGE",
    `there is no report in ${folder}: give its folder with --report, or shards with --merge`,
  );
}
