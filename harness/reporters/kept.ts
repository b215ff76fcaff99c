import type { PatternCount } from "../explorer/campaign.ts";

export type KeptCounts = "kept" | "too few to tell" | "missed";

/** Whether a pattern has the share that was promised; below it, chance may be to blame. */
export function keptOf({ share, threshold, missed }: PatternCount): KeptCounts {
  if (missed) return "missed";
  return share < threshold ? "too few to tell" : "kept";
}
