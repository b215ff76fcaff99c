import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { HarnessError } from "../core/error.ts";
import type { Json } from "../core/json.ts";
import type { Verdict, Violation } from "../core/verdict.ts";
import { atomicWrite } from "../explorer/atomic-write.ts";
import { jsonText, parsedJson } from "./json.ts";
import { type CountedRule, type RuleOutcome, ruleOutcome } from "./outcomes.ts";
import { FILES, type WrittenReports } from "./report-files.ts";

/** A file or a routine with its SHA-256: a subject of an in-toto statement. */
interface EvidenceSubject {
  /**
   * Of a file: its path relative to the folder of the evidence, with forward slashes. Of a routine in
   * the database: `routine:` and its name.
   */
  readonly name: string;
  readonly digest: { readonly sha256: string };
}

/** The members of `report.json` that the evidence repeats; a campaign and an attack both have most. */
interface ReportFacts {
  readonly verdict: Verdict;
  readonly rules: readonly CountedRule[];
  readonly timing: { readonly startedAt: string; readonly elapsedMs: number };
  readonly environment: Json;
  /** Of a campaign. */
  readonly counterexamples?: readonly {
    readonly violation: Violation;
    readonly otherViolations: readonly Violation[];
  }[];
  /** Of a campaign. */
  readonly routines?: { readonly [routine: string]: string };
  readonly [member: string]: unknown;
}

/** in-toto has no result for `unknown`; a consumer does not take `WARNED` for a pass. */
const RESULTS = { pass: "PASSED", fail: "FAILED", unknown: "WARNED" } as const;

/** The members of a report that say what was verified, and how far. */
const SCOPE = [
  ...["kind", "service", "mutant", "attack", "seed", "strategy", "settings", "control", "clients"],
  ...["executions", "scenarios", "target", "concurrency", "rounds", "requests", "coverage"],
  ...["reason", "digest"],
] as const;

/**
 * `evidence.json`: what was verified, by which means, and the result, as an in-toto statement, so
 * that tools which sign and store such statements accept it. It is a function of `report.json` and of
 * the files that it names, so that it can be computed again from these to detect every changed byte.
 *
 * https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md, with the predicate
 * spec/predicates/test-result.md
 */
function evidenceText(report: ReportFacts, files: readonly EvidenceSubject[]): string {
  const { verdict, timing, environment, routines = {} } = report;
  const subjects = [
    ...files,
    ...Object.entries(routines).map(([name, sha256]) => ({
      name: routineSubject(name),
      digest: { sha256 },
    })),
  ];
  const end = new Date(Date.parse(timing.startedAt) + timing.elapsedMs);
  return jsonText({
    _type: "https://in-toto.io/Statement/v1",
    subject: subjects.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    predicateType: "https://in-toto.io/attestation/test-result/v0.1",
    predicate: {
      result: RESULTS[verdict],
      configuration: subjects.filter(({ name }) => name === FILES.report),
      ...testResults(report),
      heddle: {
        startedOn: timing.startedAt,
        finishedOn: end.toISOString(),
        environment,
        ...Object.fromEntries(SCOPE.map((member) => [member, report[member]])),
      },
    },
  });
}

/** The rules by their outcomes. If the verdict is `unknown`, no rule has passed. */
function testResults({ verdict, rules, counterexamples = [] }: ReportFacts) {
  const reported = counterexamples.flatMap((c) => [c.violation, ...c.otherViolations]);
  const results = rules.map((rule) => ({
    name: `${rule.checker}/${rule.name}`,
    outcome: ruleOutcome(rule, reported),
  }));
  const names = (matches: (outcome: RuleOutcome) => boolean) =>
    results.filter(({ outcome }) => matches(outcome)).map(({ name }) => name);
  const passed = (outcome: RuleOutcome) => verdict !== "unknown" && outcome === "held";
  return {
    passedTests: names(passed),
    warnedTests: names((outcome) => outcome !== "violated" && !passed(outcome)),
    failedTests: names((outcome) => outcome === "violated"),
  };
}

const ROUTINE = "routine:";

/** The name of the subject for a routine. */
function routineSubject(routine: string): string {
  return ROUTINE + routine;
}

/** The routine that a subject is about; undefined for a file. */
function routineOf({ name }: EvidenceSubject): string | undefined {
  return name.startsWith(ROUTINE) ? name.slice(ROUTINE.length) : undefined;
}

/**
 * Writes `evidence.json` about the reports in `folder` and the sources of the service.
 *
 * @returns its path and its SHA-256
 */
export async function writeEvidence(
  folder: string,
  { json, html, junit, records, counterexamples }: WrittenReports,
  sources: readonly URL[],
): Promise<{ readonly file: string; readonly sha256: string }> {
  const files = [
    ...[json, html, junit, ...records, ...counterexamples],
    ...sources.map((url) => fileURLToPath(url)),
  ];
  return writeStatement(folder, await Promise.all(files.map((file) => subjectOf(folder, file))));
}

/**
 * Updates the evidence in a folder after its page was written again. Only the hashes of the page and
 * of `records` change, so that changes of all other files are still detected.
 *
 * @param records the paths of the other commands' records that the page shows
 */
export async function refreshEvidence(folder: string, records: readonly string[]): Promise<void> {
  const file = path.join(folder, FILES.evidence);
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text === undefined) return;
  const rewritten = [path.join(folder, FILES.page), ...records];
  const updated = await Promise.all(rewritten.map((one) => subjectOf(folder, one)));
  const replaced = new Set<string>([
    ...[FILES.page, FILES.seededBugs, FILES.derivedMutants, FILES.layers],
  ]);
  const unchanged = subjectsOf(text, file).filter(
    (subject) => !replaced.has(subject.name) && routineOf(subject) === undefined,
  );
  await writeStatement(folder, [...unchanged, ...updated]);
}

async function writeStatement(folder: string, subjects: readonly EvidenceSubject[]) {
  const report = JSON.parse(await readFile(path.join(folder, FILES.report), "utf8"));
  const text = evidenceText(report as ReportFacts, subjects);
  const file = path.join(folder, FILES.evidence);
  await atomicWrite(file, text);
  return { file, sha256: sha256(text) };
}

async function subjectOf(folder: string, file: string): Promise<EvidenceSubject> {
  const name = path.relative(folder, file).split(path.sep).join("/");
  return { name, digest: { sha256: sha256(await readFile(file)) } };
}

/** The result of comparing evidence with its subjects. The evidence fits if the lists are empty. */
export interface EvidenceCheck {
  /** The number of files that were compared. */
  readonly files: number;
  /** The number of routines that were compared with those of a database. */
  readonly routines: number;
  readonly changed: readonly string[];
  readonly missing: readonly string[];
  /** Routines of the database that the evidence does not name. */
  readonly added: readonly string[];
}

/**
 * Compares evidence with the files that it names, and with the report that it repeats. The hashes of
 * routines are compared with the report only, unless `routines` gives those of a database.
 *
 * @param routines the SHA-256 of each routine, by name
 * @throws HarnessError `USAGE` if the file is missing, or is no evidence
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
  const report = await readFile(path.join(folder, FILES.report), "utf8").catch(() => undefined);
  if (!repeats(text, report, files)) changed.push(FILES.evidence);
  const compared = routines === undefined ? [] : subjects.filter((it) => routineOf(it));
  for (const subject of compared) {
    const hash = routines?.[routineOf(subject) ?? ""];
    if (hash === undefined) missing.push(subject.name);
    else if (hash !== subject.digest.sha256) changed.push(subject.name);
  }
  const named = new Set(compared.map(routineOf));
  const added = Object.keys(routines ?? {}).filter((name) => !named.has(name));
  return {
    files: files.length,
    routines: compared.length,
    ...{ changed, missing },
    added: added.map(routineSubject),
  };
}

/** Whether the evidence is the one that this report and these files give. */
function repeats(
  evidence: string,
  report: string | undefined,
  files: readonly EvidenceSubject[],
): boolean {
  if (report === undefined) return false;
  try {
    return evidenceText(JSON.parse(report) as ReportFacts, files) === evidence;
  } catch {
    return false;
  }
}

function subjectsOf(text: string, file: string): readonly EvidenceSubject[] {
  const statement = parsedJson(text) as { subject?: readonly Partial<EvidenceSubject>[] } | null;
  const subjects = Array.isArray(statement?.subject) ? statement.subject : [];
  if (subjects.every(isSubject) && subjects.some(({ name }) => name === FILES.report)) {
    return subjects;
  }
  throw new HarnessError(
    "USAGE",
    `${file} is damaged, or not written by Heddle: take an unchanged copy of it`,
  );
}

function isSubject(value: Partial<EvidenceSubject> | null): value is EvidenceSubject {
  return typeof value?.name === "string" && typeof value.digest?.sha256 === "string";
}

function sha256(bytes: string | Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
