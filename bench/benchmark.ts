/** Two sides that were measured in one run, in turns. */
export interface BenchComparison {
  readonly name: string;
  readonly ours: number;
  readonly theirs: number;
  /** `ours` over `theirs`. */
  readonly ratio: number;
}

/** The result that a benchmark prints. */
export interface Benchmark extends BenchComparison {
  readonly unit: string;
  /** One sentence that says what was compared, and how. */
  readonly compared: string;
  /** The single measurements in the same unit, if there are several. */
  readonly cases?: readonly BenchComparison[];
}

interface Sides<T> {
  readonly ours: T;
  readonly theirs: T;
}

/** Runs two sides in turns. Returns the total time of each, in ms. */
export async function inTurns(
  rounds: number,
  ours: (round: number) => Promise<void>,
  theirs: (round: number) => Promise<void>,
): Promise<Sides<number>> {
  const times = await timesInTurns(rounds, ours, theirs);
  const total = (all: readonly number[]) => all.reduce((sum, ms) => sum + ms, 0);
  return { ours: total(times.ours), theirs: total(times.theirs) };
}

/** Runs two sides in turns. Returns the median time of a round of each, in ms. */
export async function mediansInTurns(
  rounds: number,
  ours: (round: number) => Promise<void>,
  theirs: (round: number) => Promise<void>,
): Promise<Sides<number>> {
  const times = await timesInTurns(rounds, ours, theirs);
  return { ours: median(times.ours), theirs: median(times.theirs) };
}

async function timesInTurns(
  rounds: number,
  ours: (round: number) => Promise<void>,
  theirs: (round: number) => Promise<void>,
): Promise<Sides<readonly number[]>> {
  const times: Sides<number[]> = { ours: [], theirs: [] };
  const timed = async (side: "ours" | "theirs", round: number) => {
    const began = performance.now();
    await (side === "ours" ? ours : theirs)(round);
    times[side].push(performance.now() - began);
  };
  for (let round = 0; round < rounds; round++) {
    // The order alternates, so that neither side always profits from caches that the other filled.
    const order = round % 2 === 0 ? (["ours", "theirs"] as const) : (["theirs", "ours"] as const);
    for (const side of order) await timed(side, round);
  }
  return times;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)];
  if (middle === undefined) throw new Error("the median needs at least one value");
  return middle;
}
