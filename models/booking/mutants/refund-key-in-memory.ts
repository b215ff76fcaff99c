import { randomUUID } from "node:crypto";
import { request } from "undici";
import type { BookingMutant } from "./mutant.ts";

/** The idempotency key of a refund is lost when the service ends. */
export const refundKeyInMemory: BookingMutant = {
  name: "refund-key-in-memory",
  origin:
    "The gateway asks for a random key per refund, so the service makes one and keeps it in " +
    "memory for retries. If the process is killed between the refund and its record, the next " +
    "run makes another key, and the payment is refunded twice.",
  checker: "invariant",
  depth: "kill",
  smallest: { operations: 2, preemptions: 0, faults: 1 },
  gateway: (gateway, url) => {
    const keys = new Map<string, string>();
    return {
      ...gateway,
      async refund(intent) {
        const key = keys.get(intent) ?? randomUUID();
        keys.set(intent, key);
        const { statusCode, body } = await request(
          `${url}/intents/${encodeURIComponent(intent)}/refunds`,
          { method: "POST", headers: { "idempotency-key": key } },
        );
        await body.dump();
        if (statusCode !== 200) throw new Error(`the gateway answers ${statusCode}`);
      },
    };
  },
};
