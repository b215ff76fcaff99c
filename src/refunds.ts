import { ServiceError } from "./errors.ts";
import type { PaymentGateway } from "./payment.ts";
import type { BookingStore } from "./store.ts";

/** How many payments were given back, and how many still have to be. */
interface Settlement {
  readonly refunded: number;
  readonly due: number;
}

/**
 * Gives back every payment that is due. What the gateway does not answer stays due; the next run
 * repeats it, and the gateway knows that it is a repeat.
 */
export async function settleRefunds(
  store: Pick<BookingStore, "refundsDue" | "recordRefund">,
  gateway: Pick<PaymentGateway, "refund">,
): Promise<Settlement> {
  let [refunded, due] = [0, 0];
  for (const intent of await store.refundsDue()) {
    try {
      await gateway.refund(intent);
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      due++;
      continue;
    }
    await store.recordRefund(intent);
    refunded++;
  }
  return { refunded, due };
}
