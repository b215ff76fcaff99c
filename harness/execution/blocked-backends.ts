import type { BackendSignals, PendingStatement } from "../proxy/pending-statement.ts";
import type { PendingStatements, WaitGraph } from "./pending-statements.ts";

/**
 * Signals backends by SIGSTOP and SIGCONT, for a server that runs on this machine as this user. A
 * backend that sleeps in a wait for a lock holds nothing inside the server that others could need, so
 * it can be stopped there. The lock may be granted to it meanwhile; it continues with it once it is
 * resumed. Undefined on Windows, where processes cannot be stopped.
 */
export function localBackendSignals(): BackendSignals | undefined {
  if (process.platform === "win32") return undefined;
  return {
    stop: (pid) => signal(pid, "SIGSTOP"),
    resume: (pid) => signal(pid, "SIGCONT"),
  };
}

function signal(pid: number, name: "SIGSTOP" | "SIGCONT"): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    // The end of a backend is noticed by the end of its connection.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/**
 * Orders the statements whose waits for locks end. A step can end the waits of several at once, at its
 * end or in its middle, and which of their backends then runs first would be chance. So the backends
 * that wait are stopped while another task runs. At quiescence those that still wait are resumed, and
 * the others are resumed one by one, as the scheduler chooses.
 */
export class BlockedBackends {
  readonly #statements: PendingStatements;
  readonly #signals: BackendSignals | undefined;

  /** @param signals undefined where backends cannot be stopped: the order is the server's then */
  constructor(statements: PendingStatements, signals: BackendSignals | undefined) {
    this.#statements = statements;
    this.#signals = signals;
  }

  /**
   * Stops the backends that wait, before a step. One that has not reported its wait might still be in
   * its deadlock check, which holds what other backends need: it is not stopped.
   */
  stopWaiting(): void {
    if (this.#signals === undefined) return;
    for (const pending of this.#statements.all()) {
      if (pending.state.at === "waiting") pending.stop(this.#signals);
    }
  }

  /**
   * Wakes the statements whose waits have ended according to `waits`, and resumes those that still wait.
   * Returns false when only one wait has ended: that statement continues without being chosen, so
   * quiescence has not been reached. The others stay stopped then, since it may end their waits too.
   */
  wakeUp(waits: WaitGraph): boolean {
    const woken = [...waits.keys()].filter((pending) => waits.get(pending)?.length === 0);
    for (const pending of woken) pending.wake();
    const [only] = woken;
    if (only !== undefined && woken.length === 1) {
      only.resume();
      return false;
    }
    this.resume([...waits.keys()].filter((pending) => !woken.includes(pending)));
    return true;
  }

  /** Resumes a woken statement that the scheduler has chosen. */
  proceed(pending: PendingStatement): void {
    this.stopWaiting();
    pending.resume();
  }

  /** Resumes every backend of `statements` that is stopped. */
  resume(statements: readonly PendingStatement[] = this.#statements.all()): void {
    for (const pending of statements) {
      if (pending.state.at === "stopped" || pending.state.at === "woken") pending.resume();
    }
  }
}
