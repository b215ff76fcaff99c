import type { Counterexample } from "../core/counterexample.ts";
import { operationCount } from "../core/scenario.ts";
import type { Campaign } from "../explorer/campaign.ts";
import { encodeToken } from "../explorer/token.ts";
import { mainViolation, replayCommand, replayFilePath } from "./replay-command.ts";

/**
 * `report.json`, as `report.schema.json` describes it. Two campaigns that saw the same differ in
 * `timing` and `executionsPerSecond` only, given the same `folder` and the same environment.
 *
 * @param folder where the report is written to; the paths of the replay files begin with it
 */
export function reportJson(campaign: Campaign, folder: string): string {
  const { startedAt, elapsedMs, executionsPerSecond, counterexamples, ...rest } = campaign;
  const { service, mutant, verdict, reason, seed, executions, violations, ...detail } = rest;
  const report = {
    version: 1,
    ...{ service, mutant, verdict, reason, seed, executions, executionsPerSecond, violations },
    counterexamples: counterexamples.map((c) => counterexampleEntry(c, folder)),
    timing: { startedAt, elapsedMs },
    ...detail,
  };
  return `${JSON.stringify(report, null, 2)}\n`;
}

function counterexampleEntry(counterexample: Counterexample, folder: string) {
  const { scenario, preemptions, execution, shrunk, violations } = counterexample;
  const file = replayFilePath(folder, counterexample);
  return {
    file,
    replay: replayCommand(file),
    token: encodeToken(counterexample),
    operations: operationCount(scenario),
    preemptions,
    execution,
    violation: mainViolation(counterexample),
    otherViolations: violations.slice(1),
    shrunk,
  };
}
