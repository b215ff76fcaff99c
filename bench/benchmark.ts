/** What every benchmark prints: two sides, measured in one run, in turns. */
export interface Benchmark {
  readonly name: string;
  readonly ours: number;
  readonly theirs: number;
  /** `ours` over `theirs`. */
  readonly ratio: number;
  readonly unit: string;
  /** What was compared with what, in a sentence. */
  readonly compared: string;
}

/** Runs two sides in turns, and returns the time that each took in all, in ms. */
export async function inTurns(
  rounds: number,
  ours: (round: number) => Promise<void>,
  theirs: (round: number) => Promise<void>,
): Promise<{ readonly ours: number; readonly theirs: number }> {
  const total = { ours: 0, theirs: 0 };
  const timed = async (side: "ours" | "theirs", round: number) => {
    const began = performance.now();
    await (side === "ours" ? ours : theirs)(round);
    total[side] += performance.now() - began;
  };
  for (let round = 0; round < rounds; round++) {
    // Who goes first changes, so that neither side always runs on what the other warmed.
    const order = round % 2 === 0 ? (["ours", "theirs"] as const) : (["theirs", "ours"] as const);
    for (const side of order) await timed(side, round);
  }
  return total;
}
