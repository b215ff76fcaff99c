import { mkdir } from "node:fs/promises";
import type { FastifyInstance } from "fastify";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { noBrowser, openBrowser } from "./browser.fixture.ts";
import { claim, row, testDatabase } from "./database.fixture.ts";
import { httpGateway } from "./gateway.ts";
import { buildServer } from "./server.ts";
import { startSimulatedGateway } from "./simulated-gateway.ts";
import { postgresStore } from "./store.ts";
import { tokensWith } from "./tokens.ts";

/** Where pictures of the pages go, to be looked at; nowhere unless it is set. */
const PICTURES = process.env["PICTURES"];

const SIZES = {
  desktop: { viewport: { width: 1100, height: 900 } },
  phone: { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true },
} as const;

describe.skipIf(noBrowser !== undefined)(`the page ${noBrowser ?? ""}`, () => {
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

  const bookings = async () => {
    const sql = "select count(*)::integer as count from bookings";
    return (await row(database.pool, sql))["count"];
  };
  const taken = (slot: string) => claim(database.pool, { slot, customer: "somebody else" });

  describe.each(["desktop", "phone"] as const)("on a %s", (size) => {
    let context: BrowserContext;
    let page: Page;
    let slots: string[];

    beforeEach(async () => {
      slots = [];
      for (const hour of [9, 10, 11, 14, 33, 34]) slots.push(await database.slot(hour));
      simulated.reset([]);
      context = await browser.newContext(SIZES[size]);
      page = await context.newPage();
      page.setDefaultTimeout(15_000);
      await page.goto(`${server.listeningOrigin}/book/1`);
    });
    afterEach(() => context.close());

    const picture = async (name: string) => {
      if (PICTURES === undefined) return;
      await mkdir(PICTURES, { recursive: true });
      await page.screenshot({ path: `${PICTURES}/${name}-${size}.png`, fullPage: true });
    };
    const times = () => page.getByRole("radio");
    const choose = async (slot = 0) => {
      await times().nth(slot).check({ force: true });
      await page.getByLabel("Your name").fill("Zoë O'Neil");
    };
    const borderOf = (card: string) =>
      page.evaluate(`getComputedStyle(document.querySelector("${card}")).borderTopColor`);
    const book = () => page.getByRole("button", { name: "Book" }).click();
    const arrived = () => page.waitForURL(/\/bookings\/\d+$/);

    test("shows free times, books one, takes the payment, moves and cancels", async () => {
      expect(await times().count()).toBe(6);
      await choose();
      await picture("choose");
      await book();
      await arrived();
      await expect.poll(() => page.title()).toBe("Your time is held");
      expect(await page.getByText("Zoë O'Neil").count()).toBe(1);
      await picture("held");

      await page.getByRole("button", { name: "Pay" }).click();
      await page.getByRole("button", { name: "Card: declined" }).click();
      await page.getByRole("heading", { name: "The payment was declined" }).waitFor();
      expect(await page.locator("#conflict").isVisible()).toBe(false);
      await picture("declined");
      await page.getByRole("button", { name: "Pay" }).click();
      await page.getByRole("button", { name: "Card: silent" }).click();
      await page.getByRole("heading", { name: "Your booking is confirmed" }).waitFor();
      await arrived();
      await picture("confirmed");

      await page.getByText("Move to another time").click();
      await times().nth(1).check({ force: true });
      await page.getByRole("button", { name: "Move" }).click();
      await page.getByText("11:00–12:00 (UTC)").waitFor();
      await page.getByText("Cancel", { exact: true }).click();
      await page.getByRole("button", { name: "Cancel the booking" }).click();
      await page.getByRole("heading", { name: "Your booking is cancelled" }).waitFor();
      expect(await row(database.pool, "select status from payments")).toEqual({
        status: "refund_due",
      });
      expect(await database.failures()).toEqual([]);
    });

    test("a time that was just taken: says so, clears it, and shows what is free now", async () => {
      await choose(1);
      await taken(slots[1] ?? "");
      await book();
      const card = page.getByRole("alert").filter({ hasText: "That time was just taken" });
      await card.waitFor();
      await expect.poll(() => times().count()).toBe(5);
      expect(await page.getByRole("radio", { checked: true }).count()).toBe(0);
      expect(await card.textContent()).toContain("Select a different time.");
      expect(await borderOf("#conflict")).toBe("rgb(217, 115, 13)");
      expect(await page.locator("#conflict:focus").count()).toBe(1);
      expect(await page.locator("#problem").isVisible()).toBe(false);
      await picture("conflict");

      await page.getByRole("button", { name: "Select a different time" }).click();
      expect(await card.isVisible()).toBe(false);
      expect(await times().nth(0).and(page.locator(":focus")).count()).toBe(1);
      expect(await page.getByLabel("Your name").inputValue()).toBe("Zoë O'Neil");
      await choose(1);
      await book();
      await arrived();
    });

    test("moving to a time that was just taken is a conflict as well", async () => {
      await choose();
      await book();
      await arrived();
      await page.getByText("Move to another time").click();
      await times().nth(0).check({ force: true });
      await taken(slots[1] ?? "");
      await page.getByRole("button", { name: "Move" }).click();
      await page.getByRole("heading", { name: "That time was just taken" }).waitFor();
      await expect.poll(() => times().count()).toBe(4);
    });

    test("works with the keyboard alone, and nothing is wider than the screen", async () => {
      await page.getByLabel("Your name").fill("Ada");
      await times().nth(0).focus();
      await page.keyboard.press("ArrowRight");
      expect(await times().nth(1).isChecked()).toBe(true);
      await page.keyboard.press("Enter");
      await arrived();
      expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
    });

    if (size === "phone") return; // The rest is about requests, whatever the width.

    test("a double click books once", async () => {
      await choose();
      let sent = 0;
      await page.route("**/api/bookings/create", async (route) => {
        sent++;
        await route.continue();
      });
      await page.getByRole("button", { name: "Book" }).dblclick();
      await arrived();
      expect([sent, await bookings()]).toEqual([1, 1]);
    });

    test("a lost answer is a problem, not a conflict; trying again books once", async () => {
      await choose();
      let sent = 0;
      await page.route("**/api/bookings/create", async (route) => {
        if (sent++ > 0) return route.continue();
        await route.fetch(); // It is booked,
        await route.abort(); // and nobody hears of it.
      });
      await book();
      await page.getByRole("heading", { name: "The connection was lost" }).waitFor();
      expect(await page.locator("#conflict").isVisible()).toBe(false);
      await picture("lost");
      await page.getByRole("button", { name: "Try again" }).click();
      await arrived();
      expect([sent, await bookings()]).toEqual([2, 1]);
    });

    test("a reload after a lost answer finds the booking that was made", async () => {
      await choose();
      await page.route("**/api/bookings/create", async (route) => {
        await route.fetch();
        await route.abort();
      });
      await book();
      await page.getByRole("heading", { name: "The connection was lost" }).waitFor();
      await page.unroute("**/api/bookings/create");
      await page.reload();
      await arrived();
      expect(await bookings()).toBe(1);
    });

    test("the back button shows what is free, and books nothing", async () => {
      await choose();
      await book();
      await arrived();
      await page.goBack();
      await expect.poll(() => times().count()).toBe(5);
      expect(await page.getByRole("radio", { checked: true }).count()).toBe(0);
      expect(await bookings()).toBe(1);
    });

    test("a service that fails is a problem that looks unlike a conflict", async () => {
      await choose();
      await page.route("**/api/bookings/create", (route) =>
        route.fulfill({
          status: 503,
          json: { code: "DATABASE_UNAVAILABLE", message: "No database", hint: "Try again later." },
        }),
      );
      await book();
      const card = page.getByRole("alert").filter({ hasText: "No database" });
      await card.waitFor();
      expect(await borderOf("#problem")).toBe("rgb(179, 38, 30)");
      expect(await page.getByRole("radio", { checked: true }).count()).toBe(1);
    });
  });

  test("a stranger sees nobody's booking, and an unknown vendor is said so", async () => {
    const { id } = await claim(database.pool, { slot: await database.slot(9) });
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(`${server.listeningOrigin}/bookings/${id}`);
    await page.getByRole("heading", { name: "Nobody is known by this request's token" }).waitFor();
    expect((await page.goto(`${server.listeningOrigin}/book/99`))?.status()).toBe(404);
    await page.getByRole("heading", { name: "Vendor not found" }).waitFor();
    await page.goto(`${server.listeningOrigin}/book/1`);
    await page.goto(`${server.listeningOrigin}/bookings/${id}`);
    await page.getByRole("heading", { name: "That is not yours to change" }).waitFor();
    await context.close();
  });
});
