import { randomUUID } from "node:crypto";
import { request } from "undici";
import type { BookingMutant } from "./mutant.ts";

/** A refund is known by a key that is forgotten when the service ends. */
export const refundKeyInMemory: BookingMutant = {
  name: "refund-key-in-memory",
  origin:
    "The gateway wants a random key for each refund, so the service makes one, and keeps it for " +
    "when the call has to be repeated. When the process is killed between the refund and its record, " +
    "the next run makes another key, and the money is given back twice.",
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
