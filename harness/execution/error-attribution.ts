import { connectionLost, HarnessError } from "../core/error.ts";

/**
 * An error of code that is not the harness's own becomes one that names what failed, such as `the
 * model's reset()`. A connection that was lost is nobody's code.
 */
export async function attributed<T>(what: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    if (cause instanceof HarnessError) throw cause;
    const message = cause instanceof Error ? cause.message : String(cause);
    if (isLost(cause, message)) throw connectionLost(message);
    throw new HarnessError("SERVICE_FAILED", `${what} failed: ${String(cause)}`, {
      cause,
    });
  }
}

/** SQLSTATE 57P01 to 57P03 (shutdown, crash), the system's own codes, and what `pg` says itself. */
function isLost(cause: unknown, message: string): boolean {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  return (
    /^57P0[123]$|^ECONN(RESET|REFUSED|ABORTED)$|^EPIPE$/.test(code) ||
    /^Connection terminated|^Client has encountered a connection error/.test(message)
  );
}
