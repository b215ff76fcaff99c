import { readFile } from "node:fs/promises";
import path from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import type { AttackReport } from "../attack/attack-report.ts";
import type { Counterexample } from "../core/counterexample.ts";
import { HarnessError } from "../core/error.ts";
import { operationCount } from "../core/scenario.ts";
import type { Campaign } from "../explorer/campaign.ts";
import { decodeCounterexample } from "../explorer/counterexample-file.ts";
import { encodeToken } from "../explorer/token.ts";
import attackSchema from "./attack-report.schema.json" with { type: "json" };
import { withShortTexts } from "./format-values.ts";
import { mainViolation, replayCommand, replayFilePath } from "./replay-command.ts";
import schema from "./report.schema.json" with { type: "json" };
import { FILES } from "./report-files.ts";

/** The version of `report.json`, for campaigns and attacks. */
const REPORT_VERSION = 2;

/**
 * `report.json` of a campaign, as `report.schema.json` describes it. Two campaigns with equal digests
 * differ in `timing` and `executionsPerSecond` only, given the same folder and environment.
 *
 * @param folder where the report is written; the paths of the replay files begin with it
 */
export function campaignJson(campaign: Campaign, folder: string): string {
  const { startedAt, elapsedMs, executionsPerSecond, counterexamples, ...rest } = campaign;
  const { service, mutant, verdict, reason, seed, executions, violations, ...details } = rest;
  return jsonText({
    version: REPORT_VERSION,
    kind: "campaign",
    ...withShortTexts({ service, mutant, verdict, reason, seed }),
    ...{ executions, executionsPerSecond, violations },
    counterexamples: counterexamples.map((c) => counterexampleEntry(c, folder)),
    timing: { startedAt, elapsedMs },
    ...details,
  });
}

function counterexampleEntry(counterexample: Counterexample, folder: string) {
  const { scenario, preemptions, execution, shrunk, violations } = counterexample;
  const file = replayFilePath(folder, counterexample);
  return {
    file,
    replay: replayCommand(file, counterexample.replayWith),
    token: encodeToken(counterexample),
    operations: operationCount(scenario),
    preemptions,
    execution,
    violation: withShortTexts(mainViolation(counterexample)),
    otherViolations: withShortTexts(violations.slice(1)),
    shrunk,
  };
}

/** `report.json` of an attack, as `attack-report.schema.json` describes it. */
export function attackJson({ startedAt, elapsedMs, ...report }: AttackReport): string {
  const timing = { startedAt, elapsedMs };
  return jsonText(withShortTexts({ version: REPORT_VERSION, kind: "attack", ...report, timing }));
}

export function jsonText(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** What a report is about. */
export type StoredReport =
  | { readonly kind: "campaign"; readonly campaign: Campaign }
  | { readonly kind: "attack"; readonly attack: AttackReport };

/**
 * Reads the report in a folder: the inverse of `campaignJson` and `attackJson`, together with the
 * replay files of a campaign. Undefined if the folder has no report.
 *
 * @throws HarnessError `USAGE` if the report is damaged, incomplete, or of another version
 */
export async function readReport(folder: string): Promise<StoredReport | undefined> {
  const file = path.join(folder, FILES.report);
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const json = parsedJson(text);
  if (isAttack(json)) {
    const { version: _, kind, timing, ...report } = json;
    return { kind, attack: { ...report, ...timing } };
  }
  if (isCampaign(json)) {
    const { version: _, kind, timing, counterexamples, ...report } = json;
    const read = counterexamples.map((entry) => readReplayFile(folder, path.basename(entry.file)));
    return {
      kind,
      campaign: { ...report, ...timing, counterexamples: await Promise.all(read) },
    };
  }
  throw new HarnessError(
    "USAGE",
    `${file} is damaged, or another version of Heddle wrote it: run the same heddle verify or heddle attack again with --report ${folder}`,
  );
}

type Timed<Report> = Omit<Report, "startedAt" | "elapsedMs"> & {
  readonly version: typeof REPORT_VERSION;
  readonly timing: { readonly startedAt: string; readonly elapsedMs: number };
};

type CampaignFile = Timed<Omit<Campaign, "counterexamples">> & {
  readonly kind: "campaign";
  readonly counterexamples: readonly { readonly file: string }[];
};

type AttackFile = Timed<AttackReport> & { readonly kind: "attack" };

function isCampaign(value: unknown): value is CampaignFile {
  return new Ajv2020({ meta: false, validateSchema: false }).validate(schema, value);
}

function isAttack(value: unknown): value is AttackFile {
  return new Ajv2020({ meta: false, validateSchema: false }).validate(attackSchema, value);
}

/** Replay files lie beside the report, even if the folder has moved since. */
async function readReplayFile(folder: string, name: string): Promise<Counterexample> {
  const file = path.join(folder, "counterexamples", name);
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new HarnessError("USAGE", `${file} is missing, and the report refers to it`, { cause });
  });
  return decodeCounterexample(text);
}

/** The value of a JSON text; undefined if the text is no JSON. */
export function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
