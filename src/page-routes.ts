import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { COOKIE, requireActor, requireOwner, actorOf } from "./authentication.ts";
import { bookPage } from "./book-page.ts";
import { bookingPage } from "./booking-page.ts";
import { schemas } from "./schemas.ts";
import type { BookingStore } from "./store.ts";
import type { Tokens } from "./tokens.ts";

type ById = { Params: { id: string } };

const ASSETS = {
  "page.js": "text/javascript; charset=utf-8",
  "book.js": "text/javascript; charset=utf-8",
  "booking.js": "text/javascript; charset=utf-8",
  "style.css": "text/css; charset=utf-8",
} as const;

const MONTH_S = 30 * 24 * 60 * 60;

/** The pages for people: to book a time, and to see, pay, move and cancel what was booked. */
export function addPageRoutes(server: FastifyInstance, store: BookingStore, tokens: Tokens): void {
  server.get<ById>("/book/:id", { schema: schemas.slots }, async (request, reply) => {
    const vendor = await store.findProvider(request.params.id);
    const customer = await visitor(request, reply, tokens);
    const slots = await store.freeSlots(vendor.id);
    return show(reply, bookPage(vendor, slots, customer));
  });

  server.get<ById>("/bookings/:id", { schema: schemas.booking }, async (request, reply) => {
    const actor = await requireActor(request, tokens);
    const found = await store.findBooking(request.params.id);
    requireOwner(actor, found.booking);
    const vendor = await store.findProvider(found.booking.providerId);
    return show(reply, bookingPage(found, vendor, await store.freeSlots(vendor.id)));
  });

  for (const [name, type] of Object.entries(ASSETS)) {
    const file = readFileSync(new URL(`./browser/${name}`, import.meta.url), "utf8");
    server.get(`/assets/${name}`, async (_request, reply) => reply.type(type).send(file));
  }
}

/** The customer that the visitor's browser is known as; a new one at the first visit. */
async function visitor(
  request: FastifyRequest,
  reply: FastifyReply,
  tokens: Tokens,
): Promise<string> {
  const known = await actorOf(request, tokens);
  if (known?.role === "customer") return known.id;
  const id = randomUUID();
  const token = await tokens.issue({ role: "customer", id });
  const secure = request.protocol === "https" ? "; Secure" : "";
  const rules = `Path=/; Max-Age=${MONTH_S}; HttpOnly; SameSite=Lax${secure}`;
  reply.header("set-cookie", `${COOKIE}=${token}; ${rules}`);
  return id;
}

/** Never from the browser's cache: what is free changes. */
function show(reply: FastifyReply, page: string): FastifyReply {
  return reply.type("text/html; charset=utf-8").header("cache-control", "no-store").send(page);
}
