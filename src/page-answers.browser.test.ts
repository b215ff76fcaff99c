import type { Page, Route } from "playwright-core";
import { beforeEach, describe, expect, test } from "vitest";
import { claim } from "./database.fixture.ts";
import { noBrowser, testPages } from "./page.fixture.ts";

const CREATE = "**/api/bookings/create";

/** Opacity and background below white letters: a contrast of 6.8; WCAG AA asks for 4.5. */
const READABLE = ["1", "rgb(90, 90, 107)"];

describe.skipIf(noBrowser !== undefined)(
  `the page, after each kind of answer ${noBrowser ?? ""}`,
  () => {
    const pages = testPages();
    const visitor = pages.visitor();
    const { times, choose, borderOf, book, arrived, picture } = visitor;
    const { bookings, database } = pages;
    let page: Page;

    beforeEach(() => {
      page = visitor.page();
    });

    /** The service books, and the answer is lost. */
    const loseAnswer = async () => {
      const lose = async (route: Route) => {
        await route.fetch();
        await route.abort();
      };
      await page.route(CREATE, lose, { times: 1 });
      await book();
      await page.getByRole("heading", { name: "The connection was lost" }).waitFor();
    };

    test("a double click books once, and the button stays legible meanwhile", async () => {
      await choose();
      let sent = 0;
      let shown: unknown;
      const button = 'getComputedStyle(document.querySelector("form button"))';
      await page.route(CREATE, async (route) => {
        sent++;
        shown = await page.evaluate(`[${button}.opacity, ${button}.backgroundColor]`);
        await route.continue();
      });
      await page.getByRole("button", { name: "Book" }).dblclick();
      await arrived();
      expect([sent, await bookings()]).toEqual([1, 1]);
      expect(shown).toEqual(READABLE);
    });

    test("a lost answer shows a problem, not a conflict; trying again books once", async () => {
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

    test.each([
      ["another time", 1, "Zoë O'Neil"],
      ["a corrected name", 0, "Zoe O'Neil"],
    ] as const)("after a lost answer, %s shows the booking that was made", async (_, slot, name) => {
      await choose();
      await loseAnswer();
      await choose(slot, name);
      await book();
      await arrived();
      expect(await page.getByText("Zoë O'Neil").count()).toBe(1);
      expect(await bookings()).toBe(1);
    });

    test("after an earlier attempt is refused, the time chosen now is booked", async () => {
      await choose();
      await page.route(CREATE, (route) => route.abort(), { times: 1 });
      await book();
      await page.getByRole("heading", { name: "The connection was lost" }).waitFor();
      await claim(database.pool, { slot: visitor.slots()[0] ?? "", customer: "somebody else" });
      await choose(1);
      await book();
      await arrived();
      expect(await page.getByText("10:00–11:00 (UTC)").count()).toBe(1);
    });

    const refuse = async (status: number) => {
      const json = { message: `Refused by ${status}`, hint: "" };
      await page.route(CREATE, (route) => route.fulfill({ status, json }), { times: 1 });
      await book();
      await page.getByRole("heading", { name: json.message }).waitFor();
    };

    test("a refusal because of the sender does not settle an earlier attempt", async () => {
      await choose();
      await loseAnswer();
      for (const status of [401, 403, 429]) await refuse(status);
      await book();
      await arrived();
      expect(await bookings()).toBe(1);
    });

    test("a refused attempt is not repeated", async () => {
      await choose();
      await refuse(429);
      await choose(1);
      await book();
      await arrived();
      expect(await page.getByText("10:00–11:00 (UTC)").count()).toBe(1);
    });

    test("the back button shows the free times, and books nothing", async () => {
      await choose();
      await book();
      await arrived();
      await page.goBack();
      await expect.poll(() => times().count()).toBe(5);
      expect(await page.getByRole("radio", { checked: true }).count()).toBe(0);
      expect(await bookings()).toBe(1);
    });

    test("a visitor whose cookie is gone books after a reload", async () => {
      await choose();
      await page.context().clearCookies();
      await book();
      await page.getByRole("heading", { name: "This browser is no longer recognised" }).waitFor();
      await page.getByRole("button", { name: "Reload the page" }).click();
      await expect.poll(() => page.getByLabel("Your name").inputValue()).toBe("");
      await choose();
      await book();
      await arrived();
    });

    test("a booking whose hold is over says so, and Pay shows its new status", async () => {
      await choose();
      await book();
      await arrived();
      await database.pool.query("update bookings set hold_expires_at = now()");
      await page.reload();
      await page.getByRole("heading", { name: "The time to pay is over" }).waitFor();
      await database.pool.query("select expire_holds()");
      await page.getByRole("button", { name: "Pay" }).click();
      await page
        .getByRole("heading", { name: "Your booking has changed in the meantime" })
        .waitFor();
      await page.getByRole("heading", { name: "Your time is no longer held" }).waitFor();
      expect(await page.getByRole("button", { name: "Pay" }).count()).toBe(0);
    });

    test("a failure of the service looks different from a conflict", async () => {
      await choose();
      await page.route(CREATE, (route) =>
        route.fulfill({
          status: 503,
          json: { code: "DATABASE_UNAVAILABLE", message: "No database", hint: "" },
        }),
      );
      await book();
      const card = page.getByRole("alert").filter({ hasText: "cannot be answered right now" });
      await card.waitFor();
      expect(await borderOf("#problem")).toBe("rgb(179, 38, 30)");
      expect(await page.getByRole("radio", { checked: true }).count()).toBe(1);
    });
  },
);
