import { expect, test } from "vitest";
import type { Server } from "../postgres/provider.ts";
import { strategyNamed } from "../scheduler/strategies.ts";
import { toyService } from "./toy.fixture.ts";
import { footprintsFor, verify } from "./verify.ts";

test.each([
  "auto",
  "serial",
  "exhaustive",
  "pct",
  "random",
] as const)("what steps touch is known to the strategy %s, unless reduction is off", (name) => {
  const reads = (reduction: boolean) =>
    "footprints" in footprintsFor(strategyNamed(name, { preemptions: 2, reduction }));
  expect(reads(true)).toBe(true);
  expect(reads(false)).toBe(false);
});

const server: Server = {
  provider: "url",
  superuser: true,
  version: "0",
  description: "",
  folder: "",
  lease: () => Promise.reject(new Error("nothing is leased here")),
  stop: async () => {},
};

test.each([
  "serial",
  "exhaustive",
] as const)("the strategy %s with faults is refused before anything is started", async (strategy) => {
  const options = { seed: 1, strategy, faults: ["cut-after"] } as const;
  await expect(verify(server, toyService(), options)).rejects.toMatchObject({
    code: "USAGE",
    message: expect.stringContaining(`the strategy ${strategy} injects no faults`),
  });
});

test("a strategy that only this process has is refused with workers before anything is open", async () => {
  const strategy = strategyNamed("random", { preemptions: 2 });
  const workers = { count: 2, serviceFile: "nowhere.ts" };
  await expect(verify(server, toyService(), { seed: 1, strategy, workers })).rejects.toMatchObject({
    code: "USAGE",
    message: expect.stringContaining("built-in strategies only"),
  });
});
