import type { PaymentGateway } from "./payment.ts";
import { settleRefunds } from "./refunds.ts";
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
