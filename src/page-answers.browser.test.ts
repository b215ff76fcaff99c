import type { Page, Route } from "playwright-core";
import { beforeEach, describe, expect, test } from "vitest";
import { noBrowser } from "./browser.fixture.ts";
import { testPages } from "./page.fixture.ts";

describe.skipIf(noBrowser !== undefined)(`what the page is answered ${noBrowser ?? ""}`, () => {
  const pages = testPages();
  const visitor = pages.visitor();
  const { times, choose, borderOf, book, arrived, picture } = visitor;
  const { bookings } = pages;
  let page: Page;

  beforeEach(() => {
    page = visitor.page();
  });

  /** The service books, and nobody hears of it. */
  const loseAnswer = async () => {
    const lose = async (route: Route) => {
      await route.fetch();
      await route.abort();
    };
    await page.route("**/api/bookings/create", lose, { times: 1 });
    await book();
    await page.getByRole("heading", { name: "The connection was lost" }).waitFor();
  };

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
    await loseAnswer();
    expect(await page.locator("#conflict").isVisible()).toBe(false);
    await picture("lost");
    await page.getByRole("button", { name: "Try again" }).click();
    await arrived();
    expect(await bookings()).toBe(1);
  });

  test("a reload after a lost answer finds the booking that was made", async () => {
    await choose();
    await loseAnswer();
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
