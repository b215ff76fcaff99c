import fc from "fast-check";
import { HarnessError } from "../core/error.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Scenario } from "../core/scenario.ts";
import type { Bounds, Service } from "../service/service.ts";

/** A generated input of the campaign: an interleaving is a generated value like any other. */
export interface Generated<State extends Json, Op extends Operation> {
  readonly scenario: Scenario<State, Op>;
  /** From which a random strategy derives its choices; a 32-bit integer. */
  readonly scheduleSeed: number;
}

/**
 * The campaign's inputs by number. Each depends on the seed and its own number alone, so that any
 * of them can be had again without those before it.
 */
export function generator<State extends Json, Op extends Operation>(
  service: Service<State, Op>,
  bounds: Bounds,
  seed: number,
): (index: number) => Generated<State, Op> {
  // A seed has no interesting edges: fast-check's bias to them would give many scenarios the same.
  const scheduleSeed = fc.noBias(fc.integer());
  const inputs = blamed(() => fc.record({ scenario: service.scenarios(bounds), scheduleSeed }));
  return (index) => {
    const [input] = blamed(() => fc.sample(inputs, { seed: mix(seed, index), numRuns: 1 }));
    if (input === undefined) throw new Error("fast-check generated nothing");
    return input;
  };
}

function blamed<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw new HarnessError("SERVICE_FAILED", `the service's scenarios() failed: ${String(cause)}`, {
      cause,
    });
  }
}

/**
 * A 32-bit integer in which every bit of both has its part: the finalizer of MurmurHash3 (Austin
 * Appleby, public domain) over a Weyl sequence, so that neighbouring inputs have unrelated seeds.
 */
function mix(seed: number, index: number): number {
  let h = (seed + Math.imul(index + 1, 0x9e3779b9)) | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
