import { isTransient } from "./errors.ts";

/** How often a transaction is tried in all. */
export const ATTEMPTS = 5;

/**
 * Runs `transaction` again, from its beginning, while Postgres undoes it because of another one
 * (serialization failure, deadlock). At once: whatever it collided with has gone on by then, so
 * there is nothing to wait for. The last failure is the caller's.
 */
export async function retryTransient<T>(transaction: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await transaction();
    } catch (error) {
      if (attempt === ATTEMPTS || !isTransient(error)) throw error;
    }
  }
}
