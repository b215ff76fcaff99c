import { EXIT } from "./exit-code.ts";

/** Node's own code for a process in which nothing can happen any more, while something is awaited. */
const NOTHING_TO_COME = 13;

/**
 * Does `work`. A process that ends meanwhile was ended by the code under test, whose exit code would
 * be taken for a verdict: then it is said, and the code is another one.
 */
export async function endingWith<T>(work: () => Promise<T>): Promise<T> {
  let thrown = false;
  const onThrown = () => {
    thrown = true;
  };
  const onExit = (code: number) => {
    if (code === EXIT.interrupted) return; // Ours, at the second Ctrl-C.
    process.exitCode = thrown ? EXIT.unknown : EXIT.usage;
    if (thrown) return; // Node says what.
    process.stderr.write(`\nheddle: ${code === NOTHING_TO_COME ? WAITING : ENDED}\n`);
  };
  process.on("uncaughtExceptionMonitor", onThrown).on("exit", onExit);
  try {
    return await work();
  } finally {
    process.off("uncaughtExceptionMonitor", onThrown).off("exit", onExit);
  }
}

const ENDED =
  "the scenario's or the model's code ended the process (process.exit): take that out, or make it " +
  "a client of its own with exec";

const WAITING =
  "nothing is left that could go on: what the scenario's or the model's code awaits never comes";
