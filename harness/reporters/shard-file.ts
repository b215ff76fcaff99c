import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { HarnessError } from "../core/error.ts";
import { atomicWrite } from "../explorer/atomic-write.ts";
import type { Campaign } from "../explorer/campaign.ts";
import { parsedJson } from "./json.ts";
import { FILES } from "./report-files.ts";

const VERSION = 3;

/**
 * Writes the part of a campaign that a shard ran, beside the shard's reports, so that the shards can
 * be merged.
 *
 * @param part JSON
 */
export async function writeShard(folder: string, part: object): Promise<void> {
  const shard = { heddle: "shard", version: VERSION, sha256: hashOf(part), ...part };
  await atomicWrite(path.join(folder, FILES.shard), `${JSON.stringify(shard)}\n`);
}

/** A shard is read by no schema: one that was changed since it was written is refused. */
function hashOf(part: object): string {
  return createHash("sha256").update(JSON.stringify(part)).digest("hex");
}

/**
 * The inverse of `writeShard`.
 *
 * @throws HarnessError `USAGE` if the folder has no shard, or one of another version
 */
export async function readShard<Part extends { readonly campaign: Campaign }>(
  folder: string,
): Promise<Part> {
  const file = path.join(folder, FILES.shard);
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new HarnessError(
      "USAGE",
      `there is no shard in ${folder}: give the folder that heddle verify --shard reported to`,
      { cause },
    );
  });
  const json = parsedJson(text);
  const { heddle, version, sha256, ...part }: { readonly [member: string]: unknown } =
    typeof json === "object" && json !== null ? { ...json } : {};
  if (heddle !== "shard" || version !== VERSION || sha256 !== hashOf(part)) {
    throw new HarnessError(
      "USAGE",
      `${file} is damaged, or another version of Heddle wrote it: run heddle verify --shard again for it`,
    );
  }
  return part as unknown as Part;
}
