import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { failing } from "../reporters/sample-campaign.fixture.ts";
import { publishOnGithub } from "./publish.ts";

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
  await publishOnGithub(failing, "reports", { GITHUB_STEP_SUMMARY: path.join(folder, "page.md") });
  expect(stderr).toBe("");
});

test("prints annotations, and appends to the job's summary", async () => {
  const page = path.join(folder, "page.md");
  const env = { GITHUB_ACTIONS: "true", GITHUB_STEP_SUMMARY: page };
  await publishOnGithub(failing, "reports", env);
  await publishOnGithub(failing, "reports", env);
  expect(stderr).toMatch(/^::error title=Heddle/);
  expect((await readFile(page, "utf8")).match(/^## ❌/gm)).toHaveLength(2);
});

test("a job summary that cannot be written is a message, not an error", async () => {
  await publishOnGithub(failing, "reports", {
    GITHUB_ACTIONS: "true",
    GITHUB_STEP_SUMMARY: folder,
  });
  expect(stderr).toContain("cannot be written");
});
