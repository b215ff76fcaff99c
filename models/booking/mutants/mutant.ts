import type { Pool } from "pg";
import type { SeededBug } from "../../../harness/index.ts";
import type { PaymentGateway } from "../../../src/payment.ts";
import type { BookingStore } from "../../../src/store.ts";

/** A seeded bug of the booking service: a change of the schema, of the service, or of both. */
export type BookingMutant = SeededBug & {
  /** Run once, after the migrations. */
  readonly sql?: string;
  /** Replaces some of the service's methods. */
  readonly store?: (store: BookingStore, pool: Pool) => BookingStore;
  /** The size of the service's pool, where that matters. */
  readonly connections?: number;
  /** Replaces some of the calls of the gateway, which listens at `url`. */
  readonly gateway?: (gateway: PaymentGateway, url: string) => PaymentGateway;
};
