import { expect, test } from "vitest";
import { actorText, COOKIE, parseActor } from "./authentication.ts";
import type { Booking, Slot } from "./booking.ts";
import { ServiceError } from "./errors.ts";
import { html } from "./html.ts";
import { bookingPage, bookPage } from "./pages.ts";
import { buildServer } from "./server.ts";
import type { BookingStore } from "./store.ts";

const HOSTILE = `<script>alert("1")</script>' & Söhne`;
const vendor = { id: "7", name: HOSTILE };
const slot: Slot = {
  id: "3",
  providerId: "7",
  startAt: new Date("2030-01-07T09:00:00Z"),
  endAt: new Date("2030-01-07T10:30:00Z"),
};
const booking = {
  ...slot,
  id: "5",
  slotId: "3",
  customerId: "c",
  customerName: HOSTILE,
  status: "pending",
  holdExpiresAt: new Date("2030-01-01T12:15:00Z"),
} as unknown as Booking;
const found = { booking, holdOver: false };

test("texts are escaped, and HTML is not", () => {
  const inner = html`<b>${HOSTILE}</b>`;
  expect(html`${inner}${[inner, html`!`]}${"<"}`.html).toBe(`${inner.html}${inner.html}!&lt;`);
  expect(inner.html).toBe(
    "<b>&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39; &amp; Söhne</b>",
  );
});

test("pages escape all user input", () => {
  for (const page of [bookPage(vendor, [slot], HOSTILE), bookingPage(found, vendor, [slot])]) {
    expect(page).toContain("&lt;script&gt;alert(&quot;1&quot;)");
    expect(page).not.toContain("<script>alert");
  }
});

test("a page shows the time, how long it is held, and the choice of slots", () => {
  const page = bookPage(vendor, [slot], "c");
  expect(page).toContain("<h2>Monday 7 January</h2>");
  expect(page).toContain('aria-label="Monday 7 January, 09:00–10:30"');
  expect(bookPage(vendor, [], "c")).toContain("There is no free time at the moment.");
  expect(bookingPage(found, vendor, [])).toContain("held for you until 12:15 UTC");
});

test.each([
  ["pending", true, true],
  ["confirmed", false, true],
  ["cancelled", false, false],
  ["expired", false, false],
  ["completed", false, false],
] as const)("what is offered for a booking that is %s", (status, pay, change) => {
  const page = bookingPage({ ...found, booking: { ...booking, status } }, vendor, [slot]);
  expect([page.includes('id="pay"'), page.includes('id="cancel"')]).toEqual([pay, change]);
});

/** Tokens that contain their actor in plain text. */
const server = buildServer({
  tokens: { issue: async (actor) => actorText(actor), read: async (text) => parseActor(text) },
  store: {
    findProvider: async (id: string) => {
      if (id === "7") return vendor;
      throw new ServiceError("VENDOR_NOT_FOUND", "Vendor not found", "Check the vendor's id.");
    },
    freeSlots: async () => [slot],
    findBooking: async () => found,
  } as unknown as BookingStore,
});

test("a visitor becomes a customer once, by a cookie that scripts cannot read", async () => {
  const first = await server.inject("/book/7");
  expect(first.headers).toMatchObject({
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
  });
  const cookie = String(first.headers["set-cookie"]);
  const [, id] =
    /^booking_customer=customer:([^;]+); Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax$/.exec(
      cookie,
    ) ?? [];
  expect(first.body).toContain(`data-customer="${id}"`);

  const headers = { cookie: `${COOKIE}=customer:ada` };
  const again = await server.inject({ url: "/book/7", headers });
  expect(again.headers["set-cookie"]).toBeUndefined();
  expect(again.body).toContain('data-customer="ada"');
});

test("browsers get refusals as HTML, programs as JSON", async () => {
  const url = "/book/8";
  const accept = "text/html,application/xhtml+xml";
  const page = await server.inject({ url, headers: { accept } });
  expect([page.statusCode, page.headers["content-type"]]).toEqual([
    404,
    "text/html; charset=utf-8",
  ]);
  expect(page.body).toContain("<h1>There is no such vendor</h1>");
  const answer = await server.inject(url);
  expect([answer.statusCode, answer.json()]).toMatchObject([404, { code: "VENDOR_NOT_FOUND" }]);
});

test("only its customer and vendor can see a booking", async () => {
  const as = (actor: string) =>
    server.inject({ url: "/bookings/5", headers: { cookie: `${COOKIE}=${actor}` } });
  expect((await as("customer:c")).statusCode).toBe(200);
  expect((await as("vendor:7")).statusCode).toBe(200);
  expect((await as("customer:d")).statusCode).toBe(403);
  expect((await server.inject("/bookings/5")).statusCode).toBe(401);
});

test.each([
  ["book.js", "text/javascript; charset=utf-8"],
  ["style.css", "text/css; charset=utf-8"],
])("serves %s, and no other files", async (name, type) => {
  const { statusCode, headers } = await server.inject(`/assets/${name}`);
  expect([statusCode, headers["content-type"]]).toEqual([200, type]);
  expect((await server.inject(`/assets/../${name}`)).statusCode).toBe(404);
  expect((await server.inject("/assets/tsconfig.json")).statusCode).toBe(404);
});
