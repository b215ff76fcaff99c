import { readFile } from "node:fs/promises";
import path from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import type { Counterexample } from "../core/counterexample.ts";
import { HarnessError } from "../core/error.ts";
import type { Campaign } from "../explorer/campaign.ts";
import { decodeCounterexample } from "../explorer/counterexample-file.ts";
import { REPORT } from "./evidence.ts";
import schema from "./report.schema.json" with { type: "json" };

/**
 * The campaign whose reports were written to a folder: the inverse of `reportJson`, together with the
 * replay files beside it. Undefined where there is no report.
 *
 * @throws HarnessError `USAGE` when it is damaged, of another version, or not all there
 */
export async function readCampaign(folder: string): Promise<Campaign | undefined> {
  const file = path.join(folder, REPORT);
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const report = parsed(text);
  if (!isReport(report)) {
    throw new HarnessError(
      "USAGE",
      `${file} is damaged, or of another version of Heddle: run that campaign again`,
    );
  }
  const { version: _, timing, counterexamples, ...rest } = report;
  return {
    ...rest,
    ...timing,
    counterexamples: await Promise.all(
      counterexamples.map((entry) => readCounterexample(folder, path.basename(entry.file))),
    ),
  };
}

/** As `report.schema.json` describes it; only what is put elsewhere is spelled out. */
interface Report extends Omit<Campaign, "counterexamples" | "startedAt" | "elapsedMs"> {
  readonly version: 1;
  readonly timing: Pick<Campaign, "startedAt" | "elapsedMs">;
  readonly counterexamples: readonly { readonly file: string }[];
}

function isReport(value: unknown): value is Report {
  return new Ajv2020({ schemas: [schema], meta: false, validateSchema: false }).validate(
    schema.$id,
    value,
  );
}

/** Beside the report, wherever the folder was when it was written. */
async function readCounterexample(folder: string, name: string): Promise<Counterexample> {
  const file = path.join(folder, "counterexamples", name);
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new HarnessError("USAGE", `${file} is not there, and the report is about it`, { cause });
  });
  return decodeCounterexample(text);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
