import { ServiceError } from "./errors.ts";
import type { PaymentGateway } from "./gateway.ts";
import type { BookingStore } from "./store.ts";

/**
 * Expires holds and settles refunds every `ms`. Several processes may do so at once. `onFailure`
 * receives the errors; the next sweep tries again. The returned function stops the sweeps and resolves
 * when the one under way has ended.
 */
export function sweepEvery(
  ms: number,
  store: BookingStore,
  gateway: PaymentGateway,
  onFailure: (error: unknown) => void,
): () => Promise<void> {
  let underWay = Promise.resolve();
  const sweep = async (): Promise<void> => {
    await store.expireHolds();
    await settleRefunds(store, gateway);
  };
  const timer = setInterval(() => {
    underWay = underWay.then(sweep).catch(onFailure);
  }, ms);
  return () => {
    clearInterval(timer);
    return underWay;
  };
}

/** The number of payments that were refunded, and of those that are still due. */
interface Settlement {
  readonly refunded: number;
  readonly due: number;
}

/**
 * Refunds every payment that is due. A refund that the gateway does not acknowledge stays due: the
 * next run repeats it, and the idempotency key tells the gateway that it is a repeat.
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
