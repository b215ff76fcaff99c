/**
 * Stops and continues backends, where the server runs on this machine and is ours. A backend that
 * sleeps in a wait for a lock holds nothing inside the server that others could need, so it can be
 * stopped there. Its lock may be granted to it meanwhile; it goes on with it when it is let go. So
 * of several sessions that one commit wakes, each goes on when it is told to.
 */
export interface BackendSignals {
  freeze(pid: number): void;
  thaw(pid: number): void;
}

/** Undefined where processes cannot be stopped. */
export function localBackendSignals(): BackendSignals | undefined {
  if (process.platform === "win32") return undefined;
  return {
    freeze: (pid) => signal(pid, "SIGSTOP"),
    thaw: (pid) => signal(pid, "SIGCONT"),
  };
}

function signal(pid: number, name: "SIGSTOP" | "SIGCONT"): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    // A backend that is gone says so by its connection.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
