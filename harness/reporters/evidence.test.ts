import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { HarnessError } from "../core/error.ts";
import { checkEvidence, writeEvidence } from "./evidence.ts";
import { failing, interrupted, passing } from "./sample-campaign.fixture.ts";
import { writeReports } from "./write.ts";

const FITS = { files: 6, routines: 0, changed: [], missing: [], added: [] };

let folder = "";
let reports = "";
let evidence = "";
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "heddle-evidence-"));
  reports = path.join(folder, "reports");
  await writeFile(path.join(folder, "schema.sql"), "create table t ();\n");
  const written = await writeReports(reports, failing);
  const sources = [pathToFileURL(path.join(folder, "schema.sql"))];
  evidence = (await writeEvidence(reports, written, sources)).file;
});
afterEach(() => rm(folder, { recursive: true }));

test("evidence is an in-toto statement about the sources and the reports", async () => {
  const statement = JSON.parse(await readFile(evidence, "utf8"));
  expect(statement).toMatchObject({
    _type: "https://in-toto.io/Statement/v1",
    predicateType: "https://in-toto.io/attestation/test-result/v0.1",
    predicate: {
      result: "FAILED",
      failedTests: expect.arrayContaining(["invariant/slot_with_several_bookings"]),
      heddle: { seed: 1, mutant: "check-then-insert", startedOn: failing.startedAt },
    },
  });
  const names = statement.subject.map(({ name }: { name: string }) => name);
  expect(names).toEqual(expect.arrayContaining(["../schema.sql", "report.html", "junit.xml"]));
  expect(names.filter((name: string) => name.startsWith("counterexamples/"))).toHaveLength(2);
});

test("a rule that was never checked, or that a counterexample violates, has not passed", async () => {
  const [shown] = failing.counterexamples;
  if (shown === undefined) throw new Error("there is one");
  const [first, second, third] = passing.rules;
  if (first === undefined || second === undefined || third === undefined) throw new Error("three");
  const violations = [{ ...first, message: "", evidence: [] }];
  const written = await writeReports(reports, {
    ...failing,
    rules: [{ ...first, violated: 0 }, { ...second, checked: 0 }, third],
    counterexamples: [{ ...shown, violations }],
  });
  const { file } = await writeEvidence(reports, written, []);
  const { predicate } = JSON.parse(await readFile(file, "utf8"));
  expect(predicate).toMatchObject({
    failedTests: [`${first.checker}/${first.name}`],
    warnedTests: [`${second.checker}/${second.name}`],
    passedTests: [`${third.checker}/${third.name}`],
    heddle: { settings: failing.settings },
  });
});

test("no rule has passed if the verdict is unknown", async () => {
  const written = await writeReports(reports, interrupted);
  const { file } = await writeEvidence(reports, written, []);
  const { predicate } = JSON.parse(await readFile(file, "utf8"));
  expect(predicate).toMatchObject({ result: "WARNED", passedTests: [], failedTests: [] });
  expect(await checkEvidence(file)).toMatchObject({ changed: [], missing: [] });
});

test("the check detects a changed byte of any file", async () => {
  expect(await checkEvidence(evidence)).toEqual(FITS);
  const { subject } = JSON.parse(await readFile(evidence, "utf8"));
  for (const { name } of subject) {
    if (name.startsWith("routine:")) continue;
    const file = path.join(reports, name);
    const { length } = await readFile(file);
    for (const at of [0, length >> 1, length - 1]) {
      await withChangedByte(file, at, async () => {
        expect((await checkEvidence(evidence)).changed, `${name} at ${at}`).toContain(name);
      });
    }
  }
  expect((await checkEvidence(evidence)).changed).toEqual([]);
});

test("the check detects a changed byte of the evidence, or refuses it", async () => {
  const { length } = await readFile(evidence);
  const results = new Set<string>();
  for (let at = 0; at < length; at += 97) {
    await withChangedByte(evidence, at, async () => {
      const check = await checkEvidence(evidence).catch((error: unknown) => error);
      if (!(check instanceof HarnessError)) expect(check, `at ${at}`).not.toEqual(FITS);
      results.add(check instanceof HarnessError ? "unreadable" : "changed");
    });
  }
  expect([...results].sort()).toEqual(["changed", "unreadable"]);
});

async function withChangedByte(file: string, at: number, then: () => Promise<void>): Promise<void> {
  const bytes = await readFile(file);
  const other = Buffer.from(bytes);
  other[at] = (other[at] ?? 0) ^ 1;
  await writeFile(file, other);
  await then();
  await writeFile(file, bytes);
}

test("the check detects a verdict that was changed in the evidence", async () => {
  const text = await readFile(evidence, "utf8");
  await writeFile(evidence, text.replace("FAILED", "PASSED"));
  expect(await checkEvidence(evidence)).toMatchObject({ changed: ["evidence.json"] });
});

test("routines are compared with the report, and with a database if one is given", async () => {
  const { routines } = failing;
  const [[name = "", hash = ""] = []] = Object.entries(routines);
  const text = await readFile(evidence, "utf8");
  expect(text).toContain(`"routine:${name}"`);
  expect(await checkEvidence(evidence, routines)).toEqual({ ...FITS, routines: 1 });
  expect(await checkEvidence(evidence, { [name]: "0" })).toMatchObject({
    changed: [`routine:${name}`],
  });
  expect(await checkEvidence(evidence, { ...routines, "public.f()": "0" })).toMatchObject({
    added: ["routine:public.f()"],
  });
  expect(await checkEvidence(evidence, {})).toMatchObject({ missing: [`routine:${name}`] });

  await writeFile(evidence, text.replace(hash, "0"));
  expect(await checkEvidence(evidence)).toMatchObject({ changed: ["evidence.json"] });
  const report = path.join(reports, "report.json");
  await writeFile(report, (await readFile(report, "utf8")).replace(hash, "0"));
  expect(await checkEvidence(evidence)).toMatchObject({ changed: ["report.json"] });
});

test("the check names missing files", async () => {
  await rm(path.join(reports, "report.html"));
  expect(await checkEvidence(evidence)).toMatchObject({ missing: ["report.html"] });
});

test.each([
  "",
  "{}",
  '{"subject": []}',
  '{"subject": [{"name": 1}]}',
])("the check refuses %j, which is no evidence", async (text) => {
  await writeFile(evidence, text);
  await expect(checkEvidence(evidence)).rejects.toThrow(HarnessError);
});
