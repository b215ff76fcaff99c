/**
 * Runs steps that clean up, one after the other. A step that fails must not hide the error that made
 * them necessary, and keeps none of the others from running. The server removes what remains when it stops.
 */
export async function runAll(steps: readonly (() => unknown)[]): Promise<void> {
  for (const step of steps) {
    try {
      await step();
    } catch {
      // See above.
    }
  }
}
