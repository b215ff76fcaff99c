/** The parameters of fast-check for a property whose inputs are hostile. */
interface FuzzParameters {
  readonly seed: number;
  readonly numRuns: number;
  readonly interruptAfterTimeLimit?: number;
  readonly markInterruptAsFailure?: false;
}

/**
 * Among the tests, a property runs `runs` times with a fixed seed. `npm run fuzz` sets
 * HEDDLE_FUZZ_MS and HEDDLE_FUZZ_SEED: then it runs for that long, from that seed on.
 */
export function fuzzParameters(runs: number): FuzzParameters {
  const { HEDDLE_FUZZ_MS: time, HEDDLE_FUZZ_SEED: seed = "1" } = process.env;
  if (time === undefined) return { seed: 1, numRuns: runs };
  return {
    seed: Number(seed),
    numRuns: 2 ** 31 - 1,
    interruptAfterTimeLimit: Number(time),
    markInterruptAsFailure: false,
  };
}
