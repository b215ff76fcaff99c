import fc, { type Arbitrary } from "fast-check";
import { xorshift128plus } from "pure-rand/generator/xorshift128plus";
import { HarnessError } from "../core/error.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Scenario } from "../core/scenario.ts";
import type { Bounds, Service } from "../service/service.ts";

/** A generated input of the campaign: an interleaving is a generated value like any other. */
export interface GeneratedInput<State extends Json, Op extends Operation> {
  readonly scenario: Scenario<State, Op>;
  /** A random strategy derives its choices from it; a 32-bit integer. */
  readonly scheduleSeed: number;
  /** The scenario, and what fast-check would shrink it to. */
  readonly tree: ShrinkTree<Scenario<State, Op>>;
}

/**
 * A generated value and, computed on demand, the values that fast-check shrinks it to, those that
 * are much simpler first. The depth is finite.
 */
export interface ShrinkTree<T> {
  readonly value: T;
  readonly children: () => Iterable<ShrinkTree<T>>;
}

/**
 * The bias towards small values that fast-check applies to the first run of a property. The rest
 * of the generation follows `fc.sample(…, { seed, numRuns: 1 })` too: same seeds, same scenarios.
 */
const BIAS = 2;

/**
 * The campaign's inputs by number. Each depends on the seed and its own number alone, so that any
 * of them can be generated again without those before it.
 */
export function generator<State extends Json, Op extends Operation>(
  service: Service<State, Op>,
  bounds: Bounds,
  seed: number,
): (index: number) => GeneratedInput<State, Op> {
  const scenarios = attributedToService(() => service.scenarios(bounds));
  // A bias to the edges of a seed's range would make many schedules equal.
  const scheduleSeeds = fc.noBias(fc.integer());
  return (index) =>
    attributedToService(() => {
      const random = numberedRandom(seed, index);
      const tree = generatedTree(scenarios, random);
      const scheduleSeed = scheduleSeeds.generate(random, BIAS).value;
      return { scenario: tree.value, scheduleSeed, tree };
    });
}

/** The random numbers of the input with that number: they depend on both arguments alone. */
export function numberedRandom(seed: number, index: number): fc.Random {
  const generator = xorshift128plus(mix(seed, index));
  generator.jump();
  return new fc.Random(generator);
}

/** Generates a value, with what fast-check would shrink it to. */
export function generatedTree<T>(arbitrary: Arbitrary<T>, random: fc.Random): ShrinkTree<T> {
  const { value, context } = arbitrary.generate(random, BIAS);
  return shrinkTree(arbitrary, value, context);
}

function shrinkTree<T>(arbitrary: Arbitrary<T>, value: T, context: unknown): ShrinkTree<T> {
  function* children(): Generator<ShrinkTree<T>> {
    const shrunk = attributedToService(() => arbitrary.shrink(value, context));
    for (;;) {
      const next = attributedToService(() => shrunk.next());
      if (next.done) return;
      yield shrinkTree(arbitrary, next.value.value, next.value.context);
    }
  }
  return { value, children };
}

function attributedToService<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw new HarnessError("SERVICE_FAILED", `the service's scenarios() failed: ${String(cause)}`, {
      cause,
    });
  }
}

/**
 * A 32-bit integer that depends on every bit of both: the finalizer of MurmurHash3 (Austin
 * Appleby, public domain) over a Weyl sequence, so that neighbouring inputs have unrelated seeds.
 */
export function mix(seed: number, index: number): number {
  let h = (seed + Math.imul(index + 1, 0x9e3779b9)) | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
