import path from "node:path";
import { HarnessError } from "../core/error.ts";
import { mergeShards, type ShardPart } from "../explorer/shards.ts";
import { refreshReport } from "../reporters/refresh.ts";
import { readShard } from "../reporters/shard-file.ts";
import { PAGE } from "../reporters/write.ts";
import { EXIT, exitCodeOfCampaign } from "./exit-code.ts";
import { publish } from "./publish.ts";

export interface ReportOptions {
  readonly merge?: readonly string[];
  readonly report: string;
  readonly json?: boolean;
}

/**
 * `heddle report`: makes the page of a report anew, with what lies beside it. With `--merge`: one
 * report out of those of shards, and its exit code.
 */
export async function reportCommand({ merge, report, json }: ReportOptions): Promise<number> {
  if (merge === undefined) return refreshed(report);
  const parts = await Promise.all(merge.map((folder) => readShard<ShardPart>(folder)));
  const campaign = mergeShards(parts);
  await publish(campaign, { folder: report, json: json === true, sources: [] });
  return exitCodeOfCampaign(campaign.verdict, undefined);
}

async function refreshed(folder: string): Promise<number> {
  if (await refreshReport(folder)) {
    process.stdout.write(`${path.join(folder, PAGE)} is up to date\n`);
    return EXIT.pass;
  }
  throw new HarnessError(
    "USAGE",
    `there is no report in ${folder}: name the folder of one with --report, or shards with --merge`,
  );
}
