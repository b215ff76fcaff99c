import fc from "fast-check";
import { increment, look, lostUpdate, type Toy } from "../checkers/toy.fixture.ts";
import type { Service } from "../service/service.ts";

export * from "../checkers/toy.fixture.ts";

/** A service with a counter, for tests that never start it. */
export function toyService(changes: Partial<Service<number, Toy>> = {}): Service<number, Toy> {
  const never = () => Promise.reject(new Error("nothing is started here"));
  return {
    name: "counter",
    migrate: never,
    start: never,
    scenarios: ({ minClients, maxClients }) =>
      fc.record({
        initial: fc.nat(3),
        clients: fc.array(
          fc.array(fc.constantFrom(increment, look), { minLength: 1, maxLength: 3 }),
          { minLength: minClients, maxLength: maxClients },
        ),
      }),
    patterns: [],
    invariants: [lostUpdate],
    codes: { increment: ["OK"], look: ["OK"] },
    seededBugs: [],
    sources: [],
    ...changes,
  };
}
