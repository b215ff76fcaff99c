import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { HarnessError } from "../core/error.ts";
import { decodeCounterexample } from "../explorer/counterexample-file.ts";
import { deadlock, doubleBooking } from "../explorer/sample-counterexample.fixture.ts";
import { failing, passing } from "./sample-campaign.fixture.ts";
import { writeReports } from "./write.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "heddle-reports-"));
});
afterEach(() => rm(folder, { recursive: true }));

const filesIn = async (where: string) => (await readdir(where, { recursive: true })).sort();

test("writes both reports and the replay files that they name, and nothing else", async () => {
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

test("writes over the reports of an earlier campaign, and keeps its replay files", async () => {
  const { counterexamples } = await writeReports(folder, failing);
  const written = await writeReports(folder, passing);
  expect(JSON.parse(await readFile(written.json, "utf8")).verdict).toBe("pass");
  expect(await filesIn(path.join(folder, "counterexamples"))).toEqual(
    counterexamples.map((file) => path.basename(file)).sort(),
  );
});

test("writes the replay files before the reports", async () => {
  const broken = { ...failing, patterns: undefined } as unknown as typeof failing;
  await expect(writeReports(folder, broken)).rejects.toThrow(TypeError);
  expect(await filesIn(path.join(folder, "counterexamples"))).toHaveLength(2);
  expect(await filesIn(folder)).not.toContain("report.html");
});

test("says what to do when the folder cannot be written, and leaves nothing half-written", async () => {
  const occupied = path.join(folder, "occupied");
  await writeFile(occupied, "a file");
  const error = await writeReports(occupied, passing).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(HarnessError);
  expect(error).toMatchObject({ code: "USAGE", message: expect.stringContaining("--report") });
  expect(await filesIn(folder)).toEqual(["occupied"]);
});

test("leaves no draft behind when a report's place is taken", async () => {
  await writeReports(path.join(folder, "report.json"), passing);
  await expect(writeReports(folder, passing)).rejects.toThrow(HarnessError);
  expect((await filesIn(folder)).filter((name) => name.endsWith(".part"))).toEqual([]);
});
