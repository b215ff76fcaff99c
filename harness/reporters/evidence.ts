import type { Json } from "../core/json.ts";
import type { Violation } from "../core/verdict.ts";
import { type CountedRule, ruleOutcome } from "./rule-outcome.ts";

/** A file, or a routine, and its SHA-256, as in-toto names what a statement is about. */
export interface EvidenceSubject {
  /**
   * Its path from the folder of the evidence, with forward slashes; or, of a routine in the database,
   * `routine:` and its name.
   */
  readonly name: string;
  readonly digest: { readonly sha256: string };
}

/** The members of `report.json` that evidence repeats. */
export interface ReportFacts {
  readonly verdict: "pass" | "fail" | "unknown";
  readonly rules: readonly CountedRule[];
  readonly counterexamples: readonly {
    readonly violation: Violation;
    readonly otherViolations: readonly Violation[];
  }[];
  readonly timing: { readonly startedAt: string; readonly elapsedMs: number };
  readonly environment: Json;
  readonly routines: { readonly [routine: string]: string };
  readonly [settings: string]: unknown;
}

const RESULTS = { pass: "PASSED", fail: "FAILED", unknown: "WARNED" } as const;

/** What of a report identifies the campaign, and says what its verdict is worth. */
const SETTINGS = [
  ...[
    "service",
    "mutant",
    "seed",
    "strategy",
    "settings",
    "control",
    "clients",
    "executions",
    "scenarios",
  ],
  ...["coverage", "reason", "digest"],
] as const;

/**
 * `evidence.json`: what was verified, with what, and what came of it, as an in-toto statement, so
 * that tools which sign and store such statements take it as it is. It is a function of
 * `report.json` and of the files that it names; so whoever has these can make it again, and sees
 * each byte in which it was changed.
 *
 * https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md, and of the predicates
 * spec/predicates/test-result.md; that has no word for `unknown`, and `WARNED` is no pass.
 */
export function evidenceText(report: ReportFacts, files: readonly EvidenceSubject[]): string {
  const { verdict, timing, environment, routines } = report;
  const subjects = [
    ...files,
    ...Object.entries(routines).map(([name, sha256]) => ({
      name: routineName(name),
      digest: { sha256 },
    })),
  ];
  const { passed, failed, neither } = sorted(report);
  const end = new Date(Date.parse(timing.startedAt) + timing.elapsedMs);
  const statement = {
    _type: "https://in-toto.io/Statement/v1",
    subject: subjects.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    predicateType: "https://in-toto.io/attestation/test-result/v0.1",
    predicate: {
      result: RESULTS[verdict],
      configuration: subjects.filter(({ name }) => name === REPORT),
      passedTests: passed,
      warnedTests: neither,
      failedTests: failed,
      heddle: {
        startedOn: timing.startedAt,
        finishedOn: end.toISOString(),
        environment,
        ...Object.fromEntries(SETTINGS.map((name) => [name, report[name]])),
      },
    },
  };
  return `${JSON.stringify(statement, null, 2)}\n`;
}

/** The rules by what became of them. Where the verdict is unknown, none can be said to have passed. */
function sorted({ verdict, rules, counterexamples }: ReportFacts) {
  const shown = counterexamples.flatMap((its) => [its.violation, ...its.otherViolations]);
  const outcomes = rules.map((rule) => ({
    name: `${rule.checker}/${rule.name}`,
    outcome: ruleOutcome(rule, shown),
  }));
  const named = (wanted: (outcome: ReturnType<typeof ruleOutcome>) => boolean) =>
    outcomes.filter(({ outcome }) => wanted(outcome)).map(({ name }) => name);
  const passes = (outcome: string) => verdict !== "unknown" && outcome === "kept";
  return {
    passed: named(passes),
    failed: named((outcome) => outcome === "broken"),
    neither: named((outcome) => outcome !== "broken" && !passes(outcome)),
  };
}

/** What the name of a routine begins with. */
const ROUTINE = "routine:";

/** How a routine is called among what evidence is about. */
export function routineName(routine: string): string {
  return ROUTINE + routine;
}

/** The routine that a subject of evidence is; undefined of a file. */
export function routineOf({ name }: EvidenceSubject): string | undefined {
  return name.startsWith(ROUTINE) ? name.slice(ROUTINE.length) : undefined;
}

/** The file's name, and that of the report which it repeats. */
export const EVIDENCE = "evidence.json";
export const REPORT = "report.json";
