import path from "node:path";
import type { PlantedReport, PlantedResult } from "../core/planted.ts";
import { commandCount } from "../core/scenario.ts";
import { plantedHtml } from "./planted-html.ts";
import { replayCommand, replayFilePath } from "./replay-command.ts";
import { encodeCounterexample } from "./replay-file.ts";
import { writeWhole } from "./write.ts";

/** `mutants.json`: the report, with the paths of replay files in place of counterexamples. */
export function plantedJson(report: PlantedReport, folder: string): string {
  const results = report.results.map((result) => ({
    ...result,
    counterexample: counterexampleEntry(result, folder),
  }));
  return `${JSON.stringify({ version: 1, ...report, results }, null, 2)}\n`;
}

/**
 * Writes `mutants.json`, `mutants.html`, and a replay file for each counterexample: these first.
 *
 * @throws HarnessError `USAGE` when the folder cannot be written
 */
export async function writePlanted(folder: string, report: PlantedReport): Promise<void> {
  for (const { counterexample } of report.results) {
    if (counterexample === null) continue;
    await writeWhole(replayFilePath(folder, counterexample), encodeCounterexample(counterexample));
  }
  await writeWhole(path.join(folder, "mutants.json"), plantedJson(report, folder));
  await writeWhole(path.join(folder, "mutants.html"), plantedHtml(report, folder));
}

function counterexampleEntry({ counterexample }: PlantedResult, folder: string) {
  if (counterexample === null) return null;
  const { scenario, preemptions, trace, violations, shrunk } = counterexample;
  const file = replayFilePath(folder, counterexample);
  return {
    file,
    replay: replayCommand(file),
    commands: commandCount(scenario),
    clients: scenario.clients.filter((commands) => commands.length > 0).length,
    preemptions,
    faults: trace.filter(({ type }) => type === "fault").length,
    violations: violations.map(({ judge, name }) => ({ judge, name })),
    shrunk,
  };
}
