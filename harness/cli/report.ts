import { merged, type Part } from "../explorer/merge.ts";
import { readShard } from "../reporters/shard-file.ts";
import { exitCodeOfCampaign } from "./exit-code.ts";
import { publish } from "./publish.ts";

export interface ReportOptions {
  readonly merge: readonly string[];
  readonly report: string;
  readonly json?: boolean;
}

/** `heddle report --merge`: one report out of those of shards, and its exit code. */
export async function reportCommand({ merge, report, json }: ReportOptions): Promise<number> {
  const parts = await Promise.all(merge.map((folder) => readShard<Part>(folder)));
  const campaign = merged(parts);
  await publish(campaign, { folder: report, json: json === true, sources: [] });
  return exitCodeOfCampaign(campaign.verdict, undefined);
}
