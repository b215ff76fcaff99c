import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { failing } from "../reporters/sample-campaign.fixture.ts";
import { publish, publishOnGithub } from "./publish.ts";

const report = { annotations: ["::error title=Heddle::a", "::error::b"], summary: "## Fail\n" };

let folder = "";
let stderr = "";
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "heddle-github-"));
  stderr = "";
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    stderr += String(text);
    return true;
  });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});

test("prints nothing outside GitHub Actions", async () => {
  await publishOnGithub(report, { GITHUB_STEP_SUMMARY: path.join(folder, "page.md") });
  expect(stderr).toBe("");
});

test("prints the annotations, and appends to the summary of the job", async () => {
  const page = path.join(folder, "page.md");
  const env = { GITHUB_ACTIONS: "true", GITHUB_STEP_SUMMARY: page };
  await publishOnGithub(report, env);
  await publishOnGithub(report, env);
  expect(stderr.split("\n").slice(0, 2)).toEqual(report.annotations);
  expect((await readFile(page, "utf8")).match(/^## Fail$/gm)).toHaveLength(2);
});

test("reports a summary that cannot be written, and continues", async () => {
  await publishOnGithub(report, { GITHUB_ACTIONS: "true", GITHUB_STEP_SUMMARY: folder });
  expect(stderr).toContain("cannot be written");
});

test("prints a campaign whose reports cannot be written", async () => {
  let stdout = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    stdout += String(text);
    return true;
  });
  const taken = path.join(folder, "taken");
  await writeFile(taken, "");
  const publishing = publish(failing, { folder: path.join(taken, "r"), json: false, sources: [] });
  await expect(publishing).rejects.toMatchObject({ code: "USAGE" });
  expect(stdout).toContain("FAIL");
});
