const now = performance.now.bind(performance);

/** The time in ms from a fixed moment, also while the clock of the code that calls it is frozen. */
export function realNow(): number {
  return now();
}
