import { setTimeout as delay } from "node:timers/promises";
import type { FastifyReply } from "fastify";
import Fastify from "fastify";
import { request } from "undici";
import type { PaymentEvent, PaymentIntent } from "./gateway.ts";
import { html } from "./html.ts";
import { ajvOptions } from "./schemas.ts";

/**
 * How a card behaves. All but `declined` pay, and all but `repeated` and `silent` send one event.
 *
 * - `repeated` sends two events at once, `late` one after the delay, `silent` none.
 * - `lost` makes the first refund and drops the connection without an answer.
 * - `slow` answers requests about the payment after the delay.
 */
const CARDS = ["ok", "declined", "repeated", "late", "silent", "lost", "slow"] as const;
type Card = (typeof CARDS)[number];
const CARD = { type: "object", properties: { card: { enum: CARDS } }, required: ["card"] };

/** A payment in the gateway's ledger, and how often it was refunded. */
export interface LedgerEntry {
  readonly intent: string;
  readonly bookingId: string;
  readonly status: PaymentIntent["status"];
  readonly card: Card;
  readonly refunds: number;
}

interface Options {
  /** The service's URL: it receives the events, and customers return to it. No events by default. */
  readonly service?: () => string;
  /** The bearer token of the gateway's events. */
  readonly webhookToken?: string;
  /** The delay of the cards `late` and `slow`, in ms. Default: 3000. */
  readonly delayMs?: number;
}

/** A payment gateway that moves no money. */
interface SimulatedGateway {
  readonly url: string;
  ledger(): readonly LedgerEntry[];
  /** Replaces the ledger. */
  reset(ledger: readonly LedgerEntry[]): void;
  /** Records a payment or a declined card without sending an event. Captured payments stay captured. */
  settle(intent: string, bookingId: string, captured: boolean): void;
  close(): Promise<void>;
}

/** Serves the gateway over HTTP on loopback, with idempotency keys. */
export async function startSimulatedGateway(options: Options = {}): Promise<SimulatedGateway> {
  const { service, webhookToken = "", delayMs = 3_000 } = options;
  const entries = new Map<string, LedgerEntry>();
  /** Intents by the idempotency key that created or refunded them. */
  const intentsByKey = new Map<string, string>();
  const stopping = new AbortController();
  const events = new Set<Promise<void>>();
  const server = Fastify({ bodyLimit: 16_384, ajv: { customOptions: ajvOptions } });
  server.addHook("preClose", async () => stopping.abort());

  const change = (intent: string, fields: Partial<LedgerEntry>): void => {
    const entry = entries.get(intent);
    if (entry !== undefined) entries.set(intent, { ...entry, ...fields });
  };
  const shown = ({ intent, bookingId, status }: LedgerEntry): PaymentIntent => ({
    id: intent,
    bookingId,
    status,
    payUrl: `${address()}/pay/${intent}`,
  });
  const address = (): string => server.listeningOrigin;
  const pause = async (): Promise<void> => {
    await delay(delayMs, undefined, { signal: stopping.signal }).catch(() => {});
  };

  async function send(event: PaymentEvent): Promise<void> {
    if (service === undefined) return;
    const { body } = await request(`${service()}/api/payments/webhook`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${webhookToken}` },
      body: JSON.stringify(event),
      signal: stopping.signal,
    });
    await body.dump();
  }

  /** Sends the events of a payment in the background, as its card demands. */
  function sendEvents({ intent, bookingId, status, card }: LedgerEntry): void {
    if (status === "open" || card === "silent") return;
    const event = async (): Promise<void> => {
      if (card === "late") await pause();
      if (!stopping.signal.aborted) await send({ type: `payment.${status}`, intent, bookingId });
    };
    const sent = Promise.all(card === "repeated" ? [event(), event()] : [event()]);
    const ended = sent.then(
      () => {},
      () => {}, // An event that cannot be delivered is dropped.
    );
    events.add(ended);
    void ended.then(() => events.delete(ended));
  }

  /** Pays an intent with a card; undefined if there is no such intent. */
  function pay(intent: string, card: Card): LedgerEntry | undefined {
    const entry = entries.get(intent);
    if (entry === undefined || entry.status === "captured") return entry;
    change(intent, { card, status: card === "declined" ? "declined" : "captured" });
    const paid = entries.get(intent) ?? entry;
    sendEvents(paid);
    return paid;
  }

  server.post<{ Body: { bookingId: string }; Headers: { "idempotency-key": string } }>(
    "/intents",
    async ({ body, headers }) => {
      const key = headers["idempotency-key"];
      const opened = entries.get(intentsByKey.get(key) ?? "");
      if (opened !== undefined) return shown(opened);
      const intent = `pi_${body.bookingId}_${entries.size + 1}`;
      const { bookingId } = body;
      const entry: LedgerEntry = { intent, bookingId, status: "open", card: "ok", refunds: 0 };
      entries.set(intent, entry);
      intentsByKey.set(key, intent);
      return shown(entry);
    },
  );

  server.get<{ Params: { intent: string } }>("/intents/:intent", async ({ params }, reply) => {
    const entry = entries.get(params.intent);
    if (entry === undefined) return unknown(reply);
    if (entry.card === "slow") await pause();
    return shown(entry);
  });

  server.post<{ Params: { intent: string }; Body: { card: Card } }>(
    "/intents/:intent/pay",
    { schema: { body: CARD } },
    async ({ params, body }, reply) => {
      const paid = pay(params.intent, body.card);
      return paid === undefined ? unknown(reply) : shown(paid);
    },
  );

  server.post<{ Params: { intent: string }; Headers: { "idempotency-key"?: string } }>(
    "/intents/:intent/refunds",
    async ({ params: { intent }, headers }, reply) => {
      const entry = entries.get(intent);
      if (entry === undefined) return unknown(reply);
      if (entry.status !== "captured") return reply.code(409).send({ error: "nothing was paid" });
      const key = headers["idempotency-key"];
      if (key !== undefined && intentsByKey.get(key) === intent) return shown(entry);
      if (key !== undefined) intentsByKey.set(key, intent);
      change(intent, { refunds: entry.refunds + 1 });
      if (entry.card === "lost") return reply.hijack().raw.destroy();
      if (entry.card === "slow") await pause();
      return shown(entry);
    },
  );

  server.addContentTypeParser(
    "application/x-www-form-urlencoded",
    { parseAs: "string" },
    (_request, body, done) => done(null, Object.fromEntries(new URLSearchParams(String(body)))),
  );

  server.get<{ Params: { intent: string } }>("/pay/:intent", async ({ params }, reply) => {
    const entry = entries.get(params.intent);
    if (entry === undefined) return unknown(reply);
    return reply.type("text/html; charset=utf-8").send(payPage());
  });

  server.post<{ Params: { intent: string }; Body: { card: Card } }>(
    "/pay/:intent",
    { schema: { body: CARD } },
    async ({ params, body }, reply) => {
      const paid = pay(params.intent, body.card);
      if (paid === undefined) return unknown(reply);
      const back = `${service?.() ?? ""}/bookings/${paid.bookingId}?intent=${paid.intent}`;
      return reply.redirect(back, 303);
    },
  );

  await server.listen({ host: "127.0.0.1", port: 0 });
  return {
    url: address(),
    ledger: () => [...entries.values()],
    reset(ledger) {
      entries.clear();
      intentsByKey.clear();
      for (const entry of ledger) entries.set(entry.intent, entry);
    },
    settle(intent, bookingId, captured) {
      const entry = entries.get(intent);
      if (entry?.status === "captured") return;
      const status = captured ? "captured" : "declined";
      entries.set(intent, { intent, bookingId, status, card: "ok", refunds: 0 });
    },
    async close() {
      stopping.abort();
      await Promise.all(events);
      await server.close();
    },
  };
}

function unknown(reply: FastifyReply): FastifyReply {
  return reply.code(404).send({ error: "there is no such payment" });
}

/** A page with a button for each card. */
function payPage(): string {
  const card = (
    name: Card,
  ) => html`<p><button name="card" value="${name}">Card: ${name}</button></p>
`;
  return html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Pay (simulated)</title>
<h1>Pay (simulated)</h1>
<p>No money moves. Choose how the card behaves.</p>
<form method="post">
${CARDS.map(card)}
</form>
</html>
`.html;
}
