import { expect, test } from "vitest";
import type { Server } from "../postgres/provider.ts";
import { strategyNamed } from "../scheduler/strategies.ts";
import { toyService } from "./toy.fixture.ts";
import { footprintsFor, verify } from "./verify.ts";

test("footprints are read for a strategy with reduction, unless each commit is observed", () => {
  const readsFootprints = (preemptions: number, observe?: "each-commit") => {
    const strategy = strategyNamed("exhaustive", { preemptions });
    const isolation = "read committed" as const;
    const control = { gates: ["statement"] as const, isolation, ...(observe && { observe }) };
    return "footprints" in footprintsFor(strategy, control);
  };
  expect(readsFootprints(Number.POSITIVE_INFINITY)).toBe(true);
  expect(readsFootprints(2)).toBe(false);
  expect(readsFootprints(Number.POSITIVE_INFINITY, "each-commit")).toBe(false);
});

test.each([
  "serial",
  "exhaustive",
] as const)("the strategy %s with faults is refused before anything is started", async (strategy) => {
  const server: Server = {
    provider: "url",
    superuser: true,
    version: "0",
    description: "",
    folder: "",
    lease: () => Promise.reject(new Error("nothing is leased here")),
    stop: async () => {},
  };
  const options = { seed: 1, strategy, faults: ["cut-after"] } as const;
  await expect(verify(server, toyService(), options)).rejects.toMatchObject({
    code: "USAGE",
    message: expect.stringContaining(`the strategy ${strategy} injects no faults`),
  });
});
