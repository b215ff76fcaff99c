import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { HarnessError } from "../core/error.ts";
import { atomicWrite } from "../explorer/atomic-write.ts";
import {
  EVIDENCE,
  type EvidenceSubject,
  evidenceText,
  REPORT,
  type ReportFacts,
  routineName,
  routineOf,
} from "./evidence.ts";
import { RECORDS } from "./records.ts";
import { PAGE, type Written } from "./write.ts";

/**
 * Writes `evidence.json` about the reports that were written to `folder` and the model's sources.
 * Returns its path and its SHA-256.
 */
export async function writeEvidence(
  folder: string,
  { json, html, junit, records, counterexamples }: Written,
  sources: readonly URL[],
): Promise<{ readonly file: string; readonly sha256: string }> {
  const files = [
    ...[json, html, junit, ...records, ...counterexamples],
    ...sources.map((url) => fileURLToPath(url)),
  ];
  return writeAbout(folder, await Promise.all(files.map((file) => subjectOf(folder, file))));
}

/**
 * Makes the evidence in a folder fit a page that was made anew, and what that shows besides the
 * campaign (`records`). Of all else it says what it said: what was changed since is seen as ever.
 */
export async function refreshEvidence(folder: string, records: readonly string[]): Promise<void> {
  const file = path.join(folder, EVIDENCE);
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text === undefined) return;
  const anew = [path.join(folder, PAGE), ...records];
  const now = await Promise.all(anew.map((one) => subjectOf(folder, one)));
  const names = new Set([PAGE, ...Object.values(RECORDS)]);
  const kept = subjectsOf(text, file).filter(
    (subject) => !names.has(subject.name) && routineOf(subject) === undefined,
  );
  await writeAbout(folder, [...kept, ...now]);
}

async function writeAbout(folder: string, subjects: readonly EvidenceSubject[]) {
  const report = JSON.parse(await readFile(path.join(folder, REPORT), "utf8")) as ReportFacts;
  const text = evidenceText(report, subjects);
  const file = path.join(folder, EVIDENCE);
  await atomicWrite(file, text);
  return { file, sha256: sha256(text) };
}

async function subjectOf(folder: string, file: string): Promise<EvidenceSubject> {
  const name = path.relative(folder, file).split(path.sep).join("/");
  return { name, digest: { sha256: sha256(await readFile(file)) } };
}

/** What does not fit; nothing if each byte is as it was. */
export interface EvidenceCheck {
  readonly files: number;
  /** Routines that were compared with those of a database. */
  readonly routines: number;
  readonly changed: readonly string[];
  readonly missing: readonly string[];
  /** Routines of the database that the evidence does not have. */
  readonly added: readonly string[];
}

/**
 * Compares evidence with the files that it names, and with the report that it was made of: what that
 * says of routines is held to the report alone, unless those of a database are given.
 *
 * @param routines SHA-256 of each, by name
 * @throws HarnessError `USAGE` when the file is not there, or is no evidence
 */
export async function checkEvidence(
  file: string,
  routines?: { readonly [name: string]: string },
): Promise<EvidenceCheck> {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new HarnessError("USAGE", `${file} cannot be read: give the path of an evidence.json`, {
      cause,
    });
  });
  const subjects = subjectsOf(text, file);
  const folder = path.dirname(file);
  const changed: string[] = [];
  const missing: string[] = [];
  const files = subjects.filter((subject) => routineOf(subject) === undefined);
  for (const { name, digest } of files) {
    const bytes = await readFile(path.join(folder, name)).catch(() => undefined);
    if (bytes === undefined) missing.push(name);
    else if (sha256(bytes) !== digest.sha256) changed.push(name);
  }
  if (!(await isMadeOf(path.join(folder, REPORT), files, text))) changed.push(EVIDENCE);
  const compared = routines === undefined ? [] : subjects.filter((it) => routineOf(it));
  for (const subject of compared) {
    const found = routines?.[routineOf(subject) ?? ""];
    if (found === undefined) missing.push(subject.name);
    else if (found !== subject.digest.sha256) changed.push(subject.name);
  }
  const known = new Set(compared.map(routineOf));
  const added = Object.keys(routines ?? {}).filter((name) => !known.has(name));
  return {
    files: files.length,
    routines: compared.length,
    ...{ changed, missing },
    added: added.map(routineName),
  };
}

async function isMadeOf(
  report: string,
  subjects: readonly EvidenceSubject[],
  text: string,
): Promise<boolean> {
  try {
    const facts = JSON.parse(await readFile(report, "utf8")) as ReportFacts;
    return evidenceText(facts, subjects) === text;
  } catch {
    return false; // A report that is not there, or none: it is told of as such.
  }
}

function subjectsOf(text: string, file: string): readonly EvidenceSubject[] {
  try {
    const { subject } = JSON.parse(text) as { readonly subject: readonly EvidenceSubject[] };
    const named = subject.every(
      ({ name, digest }) => typeof name === "string" && typeof digest.sha256 === "string",
    );
    if (named && subject.some(({ name }) => name === REPORT)) return subject;
  } catch {
    // It is no evidence.
  }
  throw new HarnessError(
    "USAGE",
    `${file} is no evidence of Heddle's, or is damaged beyond reading: take a fresh copy of it`,
  );
}

function sha256(bytes: string | Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
