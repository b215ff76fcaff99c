import fc from "fast-check";

/**
 * The parameters of fast-check for a property whose inputs are hostile. Among the tests, it runs `runs`
 * times with a fixed seed. `npm run fuzz` sets HEDDLE_FUZZ_MS and HEDDLE_FUZZ_SEED: then it runs for that
 * long, from that seed on, and says how many inputs it has tried.
 */
export function fuzzParameters<T>(runs: number): fc.Parameters<T> {
  const { HEDDLE_FUZZ_MS: time, HEDDLE_FUZZ_SEED: seed = "1" } = process.env;
  if (time === undefined) return { seed: 1, numRuns: runs };
  return {
    seed: Number(seed),
    numRuns: 2 ** 31 - 1,
    interruptAfterTimeLimit: Number(time),
    markInterruptAsFailure: false,
    reporter: (run) => {
      console.log(`${run.numRuns} inputs`);
      if (run.failed) throw new Error(fc.defaultReportMessage(run));
    },
  };
}
