import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { HarnessError } from "../core/error.ts";
import { checkEvidence, writeEvidence } from "./evidence-files.ts";
import { writeLayers } from "./layers-files.ts";
import { readCampaign } from "./read-campaign.ts";
import { SCORE_VERSION } from "./record-schema.ts";
import { recordJson } from "./records.ts";
import { refreshReport } from "./refresh.ts";
import { failing, interrupted, passing } from "./sample-campaign.fixture.ts";
import { layers } from "./sample-layers.fixture.ts";
import { score } from "./sample-score.fixture.ts";
import { seeded } from "./sample-seeded.fixture.ts";
import { writeReports } from "./write.ts";
import { writeSeededBugs } from "./write-seeded.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "heddle-refresh-"));
});
afterEach(() => rm(folder, { recursive: true }));

const at = (name: string) => path.join(folder, name);
const page = () => readFile(at("report.html"), "utf8");
const evidence = () => checkEvidence(at("evidence.json"));

test.each([passing, failing, interrupted])("a report is read as it was written: %#", async (c) => {
  await writeReports(folder, c);
  expect(await readCampaign(folder)).toEqual(c);
  const before = await page();
  expect(await refreshReport(folder)).toBe(true);
  expect(await page()).toBe(before);
});

test("a page that is made anew shows what was found out since, and its evidence fits", async () => {
  await writeEvidence(folder, await writeReports(folder, passing), []);
  await writeSeededBugs(folder, seeded);
  await writeLayers(folder, layers);
  const derived = { version: SCORE_VERSION, ...score, service: "booking" } as const;
  await writeFile(at("derived-mutants.json"), recordJson(derived));
  expect(await page()).not.toContain("Seeded bugs");
  await refreshReport(folder);
  expect(await page()).toContain("1 of 2 seeded bugs caught");
  expect(await page()).toContain("80.0 % of 7 mutants of the schema");
  expect(await page()).toContain("By itself the constraint suffices.");
  expect(await evidence()).toMatchObject({ files: 6, changed: [], missing: [] });

  await writeFile(at("mutants.json"), "{}");
  expect(await evidence()).toMatchObject({ changed: ["mutants.json"] });
});

test("what was changed before is no less changed after", async () => {
  await writeEvidence(folder, await writeReports(folder, passing), []);
  const report = await readFile(at("report.json"), "utf8");
  await writeFile(at("report.json"), report.replace('"seed": 1', '"seed": 2'));
  await refreshReport(folder);
  expect(await evidence()).toMatchObject({ changed: ["report.json"] });
});

test("a campaign shows what lies in its folder already, if that is about the same", async () => {
  await writeSeededBugs(folder, seeded);
  await writeLayers(folder, { ...layers, service: "other" });
  const { records } = await writeReports(folder, passing);
  expect(records).toEqual([at("mutants.json")]);
  expect(await page()).toContain("Of the same sources as this report.");
  expect(await page()).not.toContain("Layers of defence");

  const { records: none } = await writeReports(folder, { ...passing, mutant: "check-then-insert" });
  expect(none).toEqual([]);
  expect(await page()).not.toContain("Seeded bugs");
});

test("what was made of other sources is marked as such", async () => {
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
  '{"version": 2, "service": "booking"}',
])("a record that cannot be read is left out: %j", async (text) => {
  await writeFile(at("mutants.json"), text);
  expect((await writeReports(folder, passing)).records).toEqual([]);
});

test("says that there is no report, or that it is damaged, or not all there", async () => {
  expect(await refreshReport(folder)).toBe(false);
  const { json, counterexamples } = await writeReports(folder, failing);
  await rm(counterexamples[0] ?? "");
  await expect(refreshReport(folder)).rejects.toThrow(/counterexamples.* is not there/);
  for (const text of ["", "{}", '{"version": 2}']) {
    await writeFile(json, text);
    await expect(refreshReport(folder)).rejects.toThrow(HarnessError);
  }
});
