import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const PATHS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const executablePath = process.env["CHROMIUM"] ?? PATHS.find((path) => existsSync(path));

/** Why there are no browser tests here; undefined if there are. Under CI a browser has to be there. */
export const noBrowser =
  executablePath === undefined && process.env["CI"] === undefined
    ? "skipped: there is no Chromium here (apt-get install chromium, or set CHROMIUM)"
    : undefined;

export async function openBrowser(): Promise<Browser> {
  if (executablePath === undefined) throw new Error("There is no Chromium: set CHROMIUM.");
  return chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
}
