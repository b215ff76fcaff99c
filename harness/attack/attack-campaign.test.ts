import { expect, test } from "vitest";
import { latencySentences } from "./attack-campaign.ts";

test("latencies are told by way, as percentiles", () => {
  const latencies = Array.from({ length: 100 }, (_, at) => ({ way: "by a", ms: at + 1 }));
  expect(latencySentences([...latencies.toReversed(), { way: "by b", ms: 7 }])).toEqual([
    "Latency by a: 50.0 ms at the median, 95.0 ms at the 95th percentile, 99.0 ms at the 99th, of 100.",
    "Latency by b: 7.0 ms at the median, 7.0 ms at the 95th percentile, 7.0 ms at the 99th, of 1.",
  ]);
  expect(latencySentences([])).toEqual([]);
});
