import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import type { FastifyInstance } from "fastify";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { tokensWith } from "./authentication.ts";
import { row, testDatabase } from "./database.fixture.ts";
import { httpGateway } from "./gateway.ts";
import { buildServer } from "./server.ts";
import { startSimulatedGateway } from "./simulated-gateway.ts";
import { postgresStore } from "./store.ts";

const PATHS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const executablePath = process.env["CHROMIUM"] ?? PATHS.find((path) => existsSync(path));

/** Why the browser tests are skipped; undefined if they run. They always run under CI. */
export const noBrowser =
  executablePath === undefined && process.env["CI"] === undefined
    ? "skipped: no Chromium found (apt-get install chromium, or set CHROMIUM)"
    : undefined;

export async function openBrowser(): Promise<Browser> {
  if (executablePath === undefined) throw new Error("There is no Chromium: set CHROMIUM.");
  return chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
}

/** The folder for screenshots of the pages. None are taken by default. */
const PICTURES = process.env["PICTURES"];

/** The service and a browser for the tests of one file. */
export function testPages() {
  const database = testDatabase();
  const tokens = tokensWith("a key for all the tests of the page");
  let simulated: Awaited<ReturnType<typeof startSimulatedGateway>>;
  let gateway: ReturnType<typeof httpGateway>;
  let server: FastifyInstance;
  let browser: Browser;

  beforeAll(async () => {
    browser = await openBrowser();
    simulated = await startSimulatedGateway({
      service: () => server.listeningOrigin,
      webhookToken: await tokens.issue({ role: "system", id: "gateway" }),
    });
    gateway = httpGateway(simulated.url);
    server = buildServer({ store: postgresStore(database.pool), tokens, gateway });
    await server.listen({ host: "127.0.0.1", port: 0 });
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    await gateway?.close();
    await simulated?.close();
  });

  return {
    database,
    open: (options?: BrowserContextOptions) =>
      browser.newContext({ baseURL: server.listeningOrigin, ...options }),
    async bookings() {
      const sql = "select count(*)::integer as count from bookings";
      return (await row(database.pool, sql))["count"];
    },

    /** Opens the page of a vendor with six free times before each test. */
    visitor(options?: BrowserContextOptions) {
      let page: Page;
      let slots: string[];
      beforeEach(async () => {
        slots = [];
        for (const hour of [9, 10, 11, 14, 33, 34]) slots.push(await database.slot(hour));
        simulated.reset([]);
        page = await (await this.open(options)).newPage();
        page.setDefaultTimeout(15_000);
        await page.goto("/book/1");
      });
      afterEach(() => page.context().close());

      const times = () => page.getByRole("radio");
      return {
        page: () => page,
        slots: () => slots,
        times,
        async choose(slot = 0, name = "Zoë O'Neil") {
          await times().nth(slot).check({ force: true });
          await page.getByLabel("Your name").fill(name);
        },
        borderOf: (card: string) =>
          page.evaluate(`getComputedStyle(document.querySelector("${card}")).borderTopColor`),
        book: () => page.getByRole("button", { name: "Book" }).click(),
        arrived: () => page.waitForURL(/\/bookings\/\d+$/),
        async picture(name: string) {
          if (PICTURES === undefined) return;
          await mkdir(PICTURES, { recursive: true });
          await page.screenshot({ path: `${PICTURES}/${name}.png`, fullPage: true });
        },
      };
    },
  };
}
