import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { HarnessError } from "../core/error.ts";
import { decodeCounterexample } from "../explorer/counterexample-file.ts";
import { deadlock, doubleBooking } from "../explorer/sample-counterexample.fixture.ts";
import { checkEvidence, writeEvidence } from "./evidence.ts";
import { readReport } from "./json.ts";
import { failing, interrupted, passing } from "./sample-campaign.fixture.ts";
import { failedAttack, layers, passedAttack, score, seeded } from "./sample-records.fixture.ts";
import {
  refreshReport,
  writeAttackReports,
  writeDerivedMutants,
  writeLayers,
  writeReports,
  writeSeededBugs,
} from "./write.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "heddle-reports-"));
});
afterEach(() => rm(folder, { recursive: true }));

const filesIn = async (where: string) => (await readdir(where, { recursive: true })).sort();

test("writes the reports and the replay files that they name, and nothing else", async () => {
  const target = path.join(folder, "new", "reports");
  const written = await writeReports(target, failing);
  const json = JSON.parse(await readFile(written.json, "utf8"));
  const named = json.counterexamples.map((c: { file: string }) => c.file);
  expect(named).toEqual(written.counterexamples);
  const read = await Promise.all(written.counterexamples.map((file) => readFile(file, "utf8")));
  expect(read.map(decodeCounterexample)).toEqual([doubleBooking, deadlock]);
  expect(await readFile(written.html, "utf8")).toContain("</html>");
  const names = written.counterexamples.map((file) => path.relative(target, file));
  expect(await filesIn(target)).toEqual(
    ["counterexamples", ...names, "junit.xml", "report.html", "report.json"].sort(),
  );
});

test("replaces the reports of an earlier campaign, and keeps its replay files", async () => {
  const { counterexamples } = await writeReports(folder, failing);
  const written = await writeReports(folder, passing);
  expect(JSON.parse(await readFile(written.json, "utf8")).verdict).toBe("pass");
  expect(await filesIn(path.join(folder, "counterexamples"))).toEqual(
    counterexamples.map((file) => path.basename(file)).sort(),
  );
});

test("writes the replay files before the reports that name them", async () => {
  const broken = { ...failing, patterns: undefined } as unknown as typeof failing;
  await expect(writeReports(folder, broken)).rejects.toThrow(TypeError);
  expect(await filesIn(path.join(folder, "counterexamples"))).toHaveLength(2);
  expect(await filesIn(folder)).not.toContain("report.html");
});

test("refuses a folder that cannot be written, and leaves no partial file", async () => {
  const occupied = path.join(folder, "occupied");
  await writeFile(occupied, "a file");
  const error = await writeReports(occupied, passing).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(HarnessError);
  expect(error).toMatchObject({ code: "USAGE", message: expect.stringContaining("--report") });
  expect(await filesIn(folder)).toEqual(["occupied"]);
});

test("leaves no temporary file if a report cannot be replaced", async () => {
  await writeReports(path.join(folder, "report.json"), passing);
  await expect(writeReports(folder, passing)).rejects.toThrow(HarnessError);
  expect((await filesIn(folder)).filter((name) => name.endsWith(".part"))).toEqual([]);
});

const at = (name: string) => path.join(folder, name);
const page = () => readFile(at("report.html"), "utf8");
const evidence = () => checkEvidence(at("evidence.json"));

test.each([
  passing,
  failing,
  interrupted,
])("a campaign is read as it was written: %#", async (c) => {
  await writeReports(folder, c);
  expect(await readReport(folder)).toEqual({ kind: "campaign", campaign: c });
  const before = await page();
  expect(await refreshReport(folder)).toBe(true);
  expect(await page()).toBe(before);
});

test.each([
  passedAttack,
  failedAttack,
])("an attack is read as it was written: %#", async (attack) => {
  await writeEvidence(folder, await writeAttackReports(folder, attack), []);
  expect(await readReport(folder)).toEqual({ kind: "attack", attack });
  expect(await filesIn(folder)).toEqual([
    ...["evidence.json", "junit.xml", "report.html", "report.json"],
  ]);
  const before = await page();
  await writeFile(at("report.html"), "");
  expect(await evidence()).toMatchObject({ changed: ["report.html"] });
  expect(await refreshReport(folder)).toBe(true);
  expect(await page()).toBe(before);
  expect(await evidence()).toMatchObject({ files: 3, changed: [], missing: [] });
});

test("the evidence of an attack has its scope, and the results of its rules", async () => {
  const { file } = await writeEvidence(folder, await writeAttackReports(folder, failedAttack), []);
  expect(JSON.parse(await readFile(file, "utf8")).predicate).toMatchObject({
    result: "FAILED",
    passedTests: [],
    warnedTests: ["linearizability/linearizable"],
    failedTests: ["attack/one_winner"],
    heddle: { kind: "attack", attack: { name: "double-booking" }, rounds: 100, seed: "s" },
  });
});

test("a refreshed page shows the records that were written since, and its evidence fits", async () => {
  await writeEvidence(folder, await writeReports(folder, passing), []);
  await writeSeededBugs(folder, seeded);
  await writeLayers(folder, layers);
  await writeDerivedMutants(folder, { ...score, service: "booking" });
  expect(await page()).not.toContain("Seeded bugs");
  await refreshReport(folder);
  expect(await page()).toContain("1 of 2 seeded bugs caught");
  expect(await page()).toContain("80.0 % of 7 mutants of the schema");
  expect(await page()).toContain("By itself the constraint suffices.");
  expect(await evidence()).toMatchObject({ files: 6, changed: [], missing: [] });

  await writeFile(at("mutants.json"), "{}");
  expect(await evidence()).toMatchObject({ changed: ["mutants.json"] });
});

test("a refreshed page does not hide an earlier change of the report", async () => {
  await writeEvidence(folder, await writeReports(folder, passing), []);
  const report = await readFile(at("report.json"), "utf8");
  await writeFile(at("report.json"), report.replace('"seed": 1', '"seed": 2'));
  await refreshReport(folder);
  expect(await evidence()).toMatchObject({ changed: ["report.json"] });
});

test("a campaign shows the records in its folder that are about its service", async () => {
  await writeSeededBugs(folder, seeded);
  await writeLayers(folder, { ...layers, service: "other" });
  const { records } = await writeReports(folder, passing);
  expect(records).toEqual([at("mutants.json")]);
  expect(await page()).toContain("Made from the same sources as this report.");
  expect(await page()).not.toContain("Layers of defence");

  const { records: none } = await writeReports(folder, { ...passing, mutant: "check-then-insert" });
  expect(none).toEqual([]);
  expect(await page()).not.toContain("Seeded bugs");
});

test("a record of other sources is marked as out of date", async () => {
  const hashes = { ...seeded.hashes, "migrations/002-more.sql": "0" };
  await writeSeededBugs(folder, { ...seeded, hashes, untried: ["no-lock"] });
  await writeReports(folder, passing);
  expect(await page()).toContain('<strong class="unknown">Out of date:</strong>');
  expect(await page()).toContain("migrations/002-more.sql differs.");
  expect(await page()).toContain("Not tried: no-lock.");
});

test.each([
  "",
  "{",
  '{"version": 1}',
  '{"version": 3, "service": "booking"}',
])("a record that cannot be read is left out: %j", async (text) => {
  await writeFile(at("mutants.json"), text);
  expect((await writeReports(folder, passing)).records).toEqual([]);
});

test("refuses a report that is incomplete, damaged, or of another version", async () => {
  expect(await refreshReport(folder)).toBe(false);
  const { json, counterexamples } = await writeReports(folder, failing);
  await rm(counterexamples[0] ?? "");
  await expect(refreshReport(folder)).rejects.toThrow(/counterexamples.* is missing/);
  const report = await readFile(json, "utf8");
  for (const text of ["", "{}", '{"version": 2}', report.replace('"version": 2', '"version": 1')]) {
    await writeFile(json, text);
    const error = await refreshReport(folder).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(HarnessError);
    expect(String(error)).toContain("run the same heddle verify or heddle attack again");
  }
});
