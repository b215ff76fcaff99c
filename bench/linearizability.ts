import { linearizability } from "../harness/checkers/linearizability.ts";
import { type Benchmark, mediansInTurns } from "./benchmark.ts";
import { booking } from "./booking.ts";
import { bookingHistory } from "./booking-histories.ts";

const LENGTHS = [1_000, 10_000, 100_000] as const;
const LONGEST = 100_000;
const WARM_UP = 1;
const ROUNDS = 3;
const { model } = booking;
const BUDGET = { steps: Number.POSITIVE_INFINITY, ms: Number.POSITIVE_INFINITY };

/** How the time of a linearizability check grows with the length of the history. */
export async function linearizabilityBenchmark(): Promise<Benchmark> {
  if (model === undefined) throw new Error("the sample has a model");
  const histories = new Map(LENGTHS.map((length) => [length, bookingHistory(length)]));
  /** Checks equally many operations at each length. */
  const check = (length: (typeof LENGTHS)[number]) => async () => {
    const history = histories.get(length);
    if (history === undefined) throw new Error("there is no history of this length");
    for (let done = 0; done < LONGEST; done += length) {
      const { verdict } = linearizability(model, history, BUDGET);
      if (verdict !== "ok") throw new Error(`a history of ${length} was ${verdict}`);
    }
  };
  const cases = [];
  for (const length of LENGTHS) {
    await mediansInTurns(WARM_UP, check(length), check(LONGEST));
    const ms = await mediansInTurns(ROUNDS, check(length), check(LONGEST));
    cases.push({
      name: `${length.toLocaleString("en")} operations`,
      ours: (ms.ours * 1_000) / LONGEST,
      theirs: (ms.theirs * 1_000) / LONGEST,
      ratio: ms.ours / ms.theirs,
    });
  }
  const [headline] = cases;
  if (headline === undefined) throw new Error("nothing was measured");
  return {
    ...headline,
    name: "linearizability",
    unit: "µs/operation",
    compared:
      "checking linearizable booking histories of 1,000 operations against one of 100,000, by the " +
      "model; five clients at each of many providers; a ratio of 1 means linear growth; medians of " +
      "rounds in turns",
    cases,
  };
}
