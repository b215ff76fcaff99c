import { randomUUID } from "node:crypto";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Campaign } from "../core/campaign.ts";
import { HarnessError } from "../core/error.ts";
import { reportHtml } from "./html.ts";
import { reportJson } from "./json.ts";
import { junitXml } from "./junit.ts";
import { replayFilePath } from "./replay-command.ts";
import { encodeCounterexample } from "./replay-file.ts";

/** Paths of what was written; they begin with the folder that was asked for. */
export interface Written {
  readonly json: string;
  readonly html: string;
  readonly junit: string;
  readonly counterexamples: readonly string[];
}

/**
 * Writes `report.json`, `report.html`, `junit.xml` and a replay file for each counterexample: these first, so
 * that no report names one that is not there. Each file appears whole or not at all.
 *
 * @throws HarnessError `USAGE` when the folder cannot be written
 */
export async function writeReports(folder: string, campaign: Campaign): Promise<Written> {
  const json = path.join(folder, "report.json");
  const html = path.join(folder, "report.html");
  const junit = path.join(folder, "junit.xml");
  const counterexamples: string[] = [];
  for (const counterexample of campaign.counterexamples) {
    const file = replayFilePath(folder, counterexample);
    await writeWhole(file, encodeCounterexample(counterexample));
    counterexamples.push(file);
  }
  await writeWhole(json, reportJson(campaign, folder));
  await writeWhole(html, reportHtml(campaign, folder));
  await writeWhole(junit, junitXml(campaign, folder));
  return { json, html, junit, counterexamples };
}

/** Writes a file that appears whole or not at all. */
export async function writeWhole(file: string, text: string): Promise<void> {
  const draft = `${file}.${randomUUID()}.part`;
  try {
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(draft, text, { flush: true });
    await rename(draft, file);
  } catch (cause) {
    await rm(draft, { force: true }).catch(() => undefined);
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new HarnessError(
      "USAGE",
      `The report cannot be written (${why}): name another folder with --report.`,
      { cause },
    );
  }
}
