const write = process.stdout.write.bind(process.stdout);

/** Prints on the standard output, which belongs to the command alone (see `withOwnOutput`). */
export function print(text: string): void {
  write(text);
}

/**
 * Runs `work`. What the code under test prints on the standard output meanwhile goes to the standard
 * error, so that it gets neither into a report nor into `--json`.
 */
export async function withOwnOutput<T>(work: () => Promise<T>): Promise<T> {
  const { stdout, stderr } = process;
  const before = stdout.write;
  stdout.write = stderr.write.bind(stderr);
  try {
    return await work();
  } finally {
    stdout.write = before;
  }
}
