import type { Task } from "../core/schedule.ts";
import type { PendingStatement, PendingStatements } from "./pending-statements.ts";

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

/**
 * The statements that wait for locks. A step can end the waits of several at once, at its end or in
 * its middle, and which of their backends then runs first would be chance. So all that wait are
 * frozen while somebody else runs, and let go when that has come to rest: those that still wait at
 * once, the others one by one.
 */
export class BlockedBackends {
  readonly #pending: PendingStatements;
  readonly #freezer: BackendSignals | undefined;

  constructor(pending: PendingStatements, freezer: BackendSignals | undefined) {
    this.#pending = pending;
    this.#freezer = freezer;
  }

  /**
   * Before a step: whoever is in the database now waits. One that has not said so itself might
   * still be in its check for a deadlock, which holds what others need; it is left alone.
   */
  freeze(): void {
    if (this.#freezer === undefined) return;
    for (const flight of this.#pending.inDatabase()) {
      if (!flight.waiting) continue;
      flight.frozen = true;
      this.#freezer.freeze(flight.session.pid);
    }
  }

  /**
   * At rest: those whose waits have ended, of which each is frozen until it is chosen; undefined
   * when there was only one, which goes on by itself, so that it is no rest. The others stay frozen
   * then, since it may wake them in its turn.
   */
  woken(
    waits: ReadonlyMap<PendingStatement, readonly Task[]>,
  ): readonly PendingStatement[] | undefined {
    const woken = [...waits.keys()].filter((flight) => waits.get(flight)?.length === 0);
    const [only] = woken;
    if (only !== undefined && woken.length === 1) {
      this.#goOn(only);
      return undefined;
    }
    for (const flight of waits.keys()) if (!woken.includes(flight)) this.#thaw(flight);
    return woken;
  }

  /** One that was woken is chosen. */
  wake(flight: PendingStatement): void {
    this.freeze();
    this.#goOn(flight);
  }

  /** From here on it is in the database like any other. */
  #goOn(flight: PendingStatement): void {
    flight.stage = "database";
    flight.waiting = false;
    this.#thaw(flight);
  }

  /** Lets go of them, of all if not told otherwise, however the execution ended. */
  resume(flights: readonly PendingStatement[] = this.#pending.all()): void {
    for (const flight of flights) this.#thaw(flight);
  }

  #thaw(flight: PendingStatement): void {
    if (!flight.frozen) return;
    flight.frozen = false;
    this.#freezer?.thaw(flight.session.pid);
  }
}
