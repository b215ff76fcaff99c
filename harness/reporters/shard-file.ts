import { readFile } from "node:fs/promises";
import path from "node:path";
import { HarnessError } from "../core/error.ts";
import { atomicWrite } from "../explorer/atomic-write.ts";
import type { Campaign } from "../explorer/campaign.ts";

/** What a shard leaves beside its reports, to be merged with the others. */
const SHARD_FILE = "shard.json";

const VERSION = 1;

/** `part` is whatever the merge needs; it is JSON. */
export async function writeShard(folder: string, part: object): Promise<void> {
  const form = { heddle: "shard", version: VERSION, ...part };
  await atomicWrite(path.join(folder, SHARD_FILE), `${JSON.stringify(form)}\n`);
}

/**
 * The inverse of `writeShard`.
 *
 * @throws HarnessError `USAGE` when the folder has none, or one of another version
 */
export async function readShard<Part extends { readonly campaign: Campaign }>(
  folder: string,
): Promise<Part> {
  const file = path.join(folder, SHARD_FILE);
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new HarnessError(
      "USAGE",
      `there is no shard in ${folder}: give the folder that heddle verify --shard reported to`,
      { cause },
    );
  });
  const { heddle, version, ...part } = parsed(text);
  if (heddle !== "shard" || version !== VERSION || !("campaign" in part)) {
    throw new HarnessError(
      "USAGE",
      `${file} is damaged, or of another version of Heddle: run that shard again`,
    );
  }
  return part as unknown as Part;
}

function parsed(text: string): { readonly [member: string]: unknown } {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
