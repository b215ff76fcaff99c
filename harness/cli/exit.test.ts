import fc from "fast-check";
import { expect, test } from "vitest";
import { HarnessError } from "../core/error.ts";
import type { Model } from "../core/model.ts";
import { fakeExecutor } from "../explorer/executor.fixture.ts";
import { ENVIRONMENT, OPTIONS } from "../explorer/run-campaign.fixture.ts";
import { runCampaign } from "../explorer/run-campaign.ts";
import { executeToy, increment, look, type Toy, toyService } from "../explorer/toy.fixture.ts";
import { EXIT, exitCodeOfCampaign } from "./exit.ts";

/** A campaign of one execution: a client looks twenty times, and then increments. */
async function checkedBy(model: Model<string, number, Toy>) {
  const scenario = { initial: 0, clients: [[...Array<Toy>(20).fill(look), increment]] };
  const scenarios = () => fc.constant(scenario);
  const service = toyService({ model, scenarios, invariants: [] });
  return runCampaign(fakeExecutor(executeToy), service, ENVIRONMENT, { ...OPTIONS, runs: 1 });
}

test("a checker that reaches its budget makes the verdict unknown, with an exit code of its own", async () => {
  // Every look may be in either of two states, and the last operation is never right.
  const endless: Model<string, number, Toy> = {
    init: () => "",
    step: (state, { operation }) => (operation.name === "look" ? [`${state}a`, `${state}b`] : []),
  };
  const { campaign, error } = await checkedBy(endless);
  expect(campaign).toMatchObject({ verdict: "unknown", violations: 0, executions: 1 });
  expect(campaign.reason).toBe(
    "1 of 1 executions could not be checked: linearizability: no order was found within 200000 steps",
  );
  expect(exitCodeOfCampaign(campaign.verdict, error)).toBe(EXIT.unknown);
});

test("a checker that throws makes the verdict unknown", async () => {
  const broken: Model<string, number, Toy> = {
    init: () => "",
    step: () => {
      throw new Error("not that");
    },
  };
  const { campaign, error } = await checkedBy(broken);
  expect(campaign.verdict).toBe("unknown");
  expect(campaign.reason).toContain("checking an execution failed: Error: not that");
  expect(error).toBeInstanceOf(HarnessError);
  expect(exitCodeOfCampaign(campaign.verdict, error)).toBe(EXIT.unknown);
});

test("a violation counts for more than what ended the campaign", () => {
  const error = new HarnessError("SERVICE_FAILED", "broken");
  expect(exitCodeOfCampaign("fail", error)).toBe(EXIT.violation);
  expect(exitCodeOfCampaign("unknown", undefined)).toBe(EXIT.unknown);
  expect(exitCodeOfCampaign("pass", undefined)).toBe(EXIT.pass);
});

test("an unknown verdict has one exit code whatever ended the campaign, except an interruption", () => {
  const codes = ["USAGE", "SERVICE_FAILED", "STEP_TIMEOUT", "CONNECTION_LOST"] as const;
  for (const code of codes) {
    expect(exitCodeOfCampaign("unknown", new HarnessError(code, ""))).toBe(EXIT.unknown);
  }
  const interrupted = new HarnessError("INTERRUPTED", "interrupted");
  expect(exitCodeOfCampaign("unknown", interrupted)).toBe(EXIT.interrupted);
});
