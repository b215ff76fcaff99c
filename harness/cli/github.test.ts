import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { failing } from "../reporters/sample-campaign.fixture.ts";
import { tellGithub } from "./github.ts";

let folder = "";
let said = "";
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "heddle-github-"));
  said = "";
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    said += String(text);
    return true;
  });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});

test("says nothing elsewhere", async () => {
  await tellGithub(failing, "reports", { GITHUB_STEP_SUMMARY: path.join(folder, "page.md") });
  expect(said).toBe("");
});

test("annotates the commit, and adds to the job's summary", async () => {
  const page = path.join(folder, "page.md");
  const env = { GITHUB_ACTIONS: "true", GITHUB_STEP_SUMMARY: page };
  await tellGithub(failing, "reports", env);
  await tellGithub(failing, "reports", env);
  expect(said).toMatch(/^::error title=Heddle/);
  expect((await readFile(page, "utf8")).match(/^## ❌/gm)).toHaveLength(2);
});

test("a summary that cannot be written is said, and no error", async () => {
  await tellGithub(failing, "reports", { GITHUB_ACTIONS: "true", GITHUB_STEP_SUMMARY: folder });
  expect(said).toContain("cannot be written");
});
