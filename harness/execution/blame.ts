import { HarnessError } from "../core/error.ts";

/** An error of the model's own code becomes one that names the part of it that failed. */
export async function blamed<T>(part: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    if (cause instanceof HarnessError) throw cause;
    throw new HarnessError("MODEL_FAILED", `the model's ${part}() failed: ${String(cause)}`, {
      cause,
    });
  }
}
