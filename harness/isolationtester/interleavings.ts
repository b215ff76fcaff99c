import type { Permutation, Spec } from "./spec.ts";

/**
 * The permutations of a spec: those that it names, or else every interleaving of its sessions'
 * steps, those first in which the first sessions come first.
 */
export function* permutationsOf(spec: Spec): Generator<Permutation, void> {
  if (spec.permutations.length > 0) yield* spec.permutations;
  else {
    const piles = spec.sessions.map(({ steps }) => steps.map((step) => ({ step, markers: [] })));
    yield* interleavings(piles, []);
  }
}

function* interleavings(
  piles: readonly Permutation[],
  taken: Permutation,
): Generator<Permutation, void> {
  if (piles.every((pile) => pile.length === 0)) yield taken;
  for (const [index, [next, ...rest]] of piles.entries()) {
    if (next !== undefined) yield* interleavings(piles.with(index, rest), [...taken, next]);
  }
}
