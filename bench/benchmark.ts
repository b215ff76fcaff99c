/** Two sides of one thing, measured in one run, in turns. */
export interface BenchComparison {
  readonly name: string;
  readonly ours: number;
  readonly theirs: number;
  /** `ours` over `theirs`. */
  readonly ratio: number;
}

/** What every benchmark prints. */
export interface Benchmark extends BenchComparison {
  readonly unit: string;
  /** What was compared with what, in a sentence. */
  readonly compared: string;
  /** What was measured one by one, in the same unit, if it was more than one thing. */
  readonly cases?: readonly BenchComparison[];
}

interface Sides<T> {
  readonly ours: T;
  readonly theirs: T;
}

/** Runs two sides in turns, and returns the time that each took in all, in ms. */
export async function inTurns(
  rounds: number,
  ours: (round: number) => Promise<void>,
  theirs: (round: number) => Promise<void>,
): Promise<Sides<number>> {
  const times = await timesInTurns(rounds, ours, theirs);
  const total = (all: readonly number[]) => all.reduce((sum, ms) => sum + ms, 0);
  return { ours: total(times.ours), theirs: total(times.theirs) };
}

/** The same, but the median of the rounds: what else the machine does then counts less. */
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
    // Who goes first changes, so that neither side always runs on what the other warmed.
    const order = round % 2 === 0 ? (["ours", "theirs"] as const) : (["theirs", "ours"] as const);
    for (const side of order) await timed(side, round);
  }
  return times;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)];
  if (middle === undefined) throw new Error("there is no median of nothing");
  return middle;
}
