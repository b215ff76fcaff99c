import { request } from "undici";
import type { BookingMutant } from "./mutant.ts";

/** A refund that is requested twice is made twice. */
export const refundWithoutIdempotencyKey: BookingMutant = {
  name: "refund-without-idempotency-key",
  origin:
    "The refund job ran once a minute on one machine. Since the service runs on two machines, " +
    "two jobs run at once.",
  checker: "invariant",
  depth: "statement",
  smallest: { operations: 2, preemptions: 1 },
  gateway: (gateway, url) => ({
    ...gateway,
    async refund(intent) {
      const path = `${url}/intents/${encodeURIComponent(intent)}/refunds`;
      const { statusCode, body } = await request(path, { method: "POST" });
      await body.dump();
      if (statusCode !== 200) throw new Error(`the gateway answers ${statusCode}`);
    },
  }),
};
