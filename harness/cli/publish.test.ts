import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { publishOnGithub } from "./publish.ts";

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
