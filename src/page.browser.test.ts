import type { Page } from "playwright-core";
import { beforeEach, describe, expect, test } from "vitest";
import { claim, row } from "./database.fixture.ts";
import { noBrowser, testPages } from "./page.fixture.ts";

const SIZES = {
  desktop: { viewport: { width: 1100, height: 900 } },
  phone: { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true },
} as const;

describe.skipIf(noBrowser !== undefined)(`the page ${noBrowser ?? ""}`, () => {
  const pages = testPages();
  const { database } = pages;
  const taken = (slot: string) => claim(database.pool, { slot, customer: "somebody else" });

  describe.each(["desktop", "phone"] as const)("on a %s", (size) => {
    const visitor = pages.visitor(SIZES[size]);
    const { times, choose, borderOf, book, arrived } = visitor;
    let page: Page;
    let slots: string[];

    beforeEach(() => {
      page = visitor.page();
      slots = visitor.slots();
    });

    // The page's own colours, even under a dark colour scheme.
    const firstTime = () => page.locator(".times label").first().screenshot();
    const picture = (name: string) => visitor.picture(`${name}-${size}`);

    test("shows free times, books one, takes the payment, moves and cancels", async () => {
      expect(await times().count()).toBe(6);
      await page.emulateMedia({ forcedColors: "active" });
      const free = await firstTime();
      await choose();
      expect(free.equals(await firstTime())).toBe(false);
      await picture("forced-colors");
      await page.emulateMedia({ forcedColors: null });
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

    test("a time that was just taken: shows a conflict, clears the choice, and shows the free times", async () => {
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

    test("moving to a time that was just taken shows a conflict", async () => {
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
  });

  test("without JavaScript nothing can be sent, and the page says why", async () => {
    await database.slot(9);
    const context = await pages.open({ javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto("/book/1");
    expect(await page.getByRole("button", { name: "Book" }).isDisabled()).toBe(true);
    expect(await page.locator("noscript p").isVisible()).toBe(true);
    await context.close();
  });

  test("another visitor cannot see a booking, and an unknown vendor has an error page", async () => {
    const { id } = await claim(database.pool, { slot: await database.slot(9) });
    const context = await pages.open();
    const page = await context.newPage();
    await page.goto(`/bookings/${id}`);
    await page.getByRole("heading", { name: "This booking cannot be shown here" }).waitFor();
    expect((await page.goto("/book/99"))?.status()).toBe(404);
    await page.getByRole("heading", { name: "There is no such vendor" }).waitFor();
    expect((await page.goto("/book/abc"))?.status()).toBe(400);
    await page.getByRole("heading", { name: "There is no such page" }).waitFor();
    await page.goto("/book/1");
    await page.goto(`/bookings/${id}`);
    await page.getByRole("heading", { name: "This booking cannot be shown here" }).waitFor();
    await context.close();
  });
});
