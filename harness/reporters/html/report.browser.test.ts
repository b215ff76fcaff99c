import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Campaign } from "../../explorer/campaign.ts";
import { scoreRecord } from "../derived-mutants.ts";
import { layersRecord } from "../layers.ts";
import { failing, interrupted, passing } from "../sample-campaign.fixture.ts";
import { layers, score, seeded } from "../sample-records.fixture.ts";
import { seededBugRecord } from "../seeded-bugs.ts";
import { reportHtml } from "./report.ts";

const CHROMIUM = process.env["HEDDLE_CHROMIUM"] ?? "/usr/bin/chromium";
const missing = !existsSync(CHROMIUM) && process.env["CI"] !== "true";
const reason = missing ? ` (skipped: there is no ${CHROMIUM})` : "";

const SIZES = { desktop: { width: 1280, height: 900 }, phone: { width: 360, height: 740 } };
/** Runs in the browser: whether the section is at the top of the window, or the page at its end. */
const IS_THERE = `(target) => {
  const { top } = document.querySelector(target).getBoundingClientRect();
  const atEnd = window.scrollY + window.innerHeight >= document.body.scrollHeight - 2;
  return location.hash === target && (Math.abs(top) < 5 || atEnd);
}`;
const campaigns = { passing, failing, interrupted };
const records = {
  seeded: seededBugRecord(seeded, "reports"),
  derived: scoreRecord(score),
  layers: layersRecord(layers, "reports"),
};

describe.skipIf(missing)(`report.html in a browser${reason}`, () => {
  let browser: Browser;
  let folder = "";

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "heddle-html-"));
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
  });

  afterAll(async () => {
    await browser?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** Opens a report from disk; `complaints` are the console messages, errors and requests of the page. */
  async function opened(campaign: Campaign, viewport: { width: number; height: number }) {
    const file = path.join(folder, `${campaign.verdict}-${viewport.width}.html`);
    await writeFile(file, reportHtml(campaign, "reports", records));
    const page = await browser.newPage({ viewport });
    const complaints: string[] = [];
    page.on("console", (message) => complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("request", (request) => {
      if (request.url().split("#")[0] !== pathToFileURL(file).href) complaints.push("a request");
    });
    await page.goto(pathToFileURL(file).href);
    return { page, complaints };
  }

  const overflow = (page: Page) =>
    page.evaluate<number>("document.documentElement.scrollWidth - window.innerWidth");

  test.each(
    Object.entries(campaigns).flatMap(([name, campaign]) =>
      Object.entries(SIZES).map(([size, viewport]) => ({ name, campaign, size, viewport })),
    ),
  )("a $name report at $size width fits, without errors or requests", async ({
    campaign,
    viewport,
  }) => {
    const { page, complaints } = await opened(campaign, viewport);
    expect(await page.locator("h1").innerText()).toContain("booking");
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    expect(complaints).toEqual([]);
    await page.close();
  });

  test("each link in the contents leads to its section, with the keyboard too", async () => {
    const { page } = await opened(failing, SIZES.desktop);
    const links = page.locator("nav a");
    const count = await links.count();
    expect(count).toBeGreaterThan(3);
    for (let at = 0; at < count; at++) {
      const link = links.nth(at);
      const target = await link.getAttribute("href");
      await link.focus();
      await page.keyboard.press("Enter");
      // The browser scrolls with the next frame, after the key press returns.
      await expect
        .poll(() => page.evaluate<boolean>(`(${IS_THERE})("${target}")`), {
          timeout: 10_000,
          message: `${target}`,
        })
        .toBe(true);
    }
    await page.close();
  });

  test("no content is cut off on paper", async () => {
    const { page } = await opened(failing, { width: 680, height: 960 });
    await page.emulateMedia({ media: "print" });
    const cut = await page.evaluate<string[]>(`
      [...document.querySelectorAll("table, svg, pre, code")]
        .filter((it) => it.getBoundingClientRect().right > window.innerWidth + 1)
        .map((it) => it.outerHTML.slice(0, 80))`);
    expect(cut).toEqual([]);
    expect((await page.pdf({ format: "A4" })).length).toBeGreaterThan(10_000);
    await page.close();
  });

  test("on paper, no heading, caption or table head is the last line of a page", async () => {
    const { page } = await opened(failing, { width: 680, height: 960 });
    await page.emulateMedia({ media: "print" });
    const alone = await page.evaluate<string[]>(`
      [...document.querySelectorAll("h2, h3, h4, summary, caption, thead, tbody > tr:first-child")]
        .filter((it) => getComputedStyle(it)[it.matches("tr") ? "breakBefore" : "breakAfter"] !== "avoid")
        .map((it) => it.outerHTML.slice(0, 80))`);
    expect(alone).toEqual([]);
    await page.close();
  });

  test("the light and the dark scheme differ, and each has enough contrast", async () => {
    const { page } = await opened(failing, SIZES.desktop);
    const schemes: string[] = [];
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      schemes.push(
        await page.evaluate<string>(
          '(({ color, backgroundColor }) => color + " on " + backgroundColor)(getComputedStyle(document.body))',
        ),
      );
    }
    expect(new Set(schemes).size).toBe(2);
    for (const pair of schemes) expect(contrast(pair)).toBeGreaterThan(7);
    await page.close();
  });
});

/** WCAG 2.1, "contrast ratio". */
function contrast(pair: string): number {
  const [ink = 0, page = 0] = pair.split(" on ").map((text) => {
    const [r = 0, g = 0, b = 0] = [...text.matchAll(/\d+/g)].map(([value]) => {
      const share = Number(value) / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  });
  return (Math.max(ink, page) + 0.05) / (Math.min(ink, page) + 0.05);
}
