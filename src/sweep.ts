import { ServiceError } from "./errors.ts";
import type { PaymentGateway } from "./gateway.ts";
import type { BookingStore } from "./store.ts";

/**
 * Ends the holds that have run out, and gives back what has to be, every `ms`. Several processes
 * may do so at once. Failures are told to `failed`, and the next time is another try. Gives a
 * function that stops it, and resolves when what is under way has ended.
 */
export function sweepEvery(
  ms: number,
  store: BookingStore,
  gateway: PaymentGateway,
  failed: (error: unknown) => void,
): () => Promise<void> {
  let underWay = Promise.resolve();
  const sweep = async (): Promise<void> => {
    await store.expireHolds();
    await settleRefunds(store, gateway);
  };
  const timer = setInterval(() => {
    underWay = underWay.then(sweep).catch(failed);
  }, ms);
  return () => {
    clearInterval(timer);
    return underWay;
  };
}

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
