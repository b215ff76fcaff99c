import type { Snapshot } from "../core/execution.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Place, Trace } from "../core/trace.ts";
import type { Footprints } from "../footprints/footprints.ts";
import type { WireProxy } from "../proxy/wire-proxy.ts";
import type { BackendSignals } from "./blocked-backends.ts";
import type { LockWaits } from "./lock-waits.ts";
import type { System } from "./system.ts";

/** What a run needs of its surroundings. */
export interface ExecutionContext<State extends Json, Op extends Operation> {
  readonly proxy: WireProxy;
  readonly lockWaits: LockWaits;
  readonly system: System<State, Op>;
  /** The places of the gates inside the server, by number. */
  readonly places: ReadonlyMap<number, Place>;
  /** What requests may touch, where somebody asks. */
  readonly footprints: Footprints | undefined;
  /** Where backends can be stopped. */
  readonly freezer: BackendSignals | undefined;
  /** Whether the server itself tells a session that it waits (see `Database.lockWaits`). */
  readonly pushed: boolean;
  readonly stepTimeoutMs: number;
  /** Reads committed state, where that is wanted after each commit. */
  readonly observe?: () => Promise<Snapshot>;
  /** Kills the server, says so, and waits until it is there again; where it may be killed. */
  readonly crash?: (dead: () => void) => Promise<void>;
  /** Whether the service may be killed. */
  readonly kills: boolean;
  /** Told wherever all is at rest, before the next step. */
  readonly pause?: (trace: Trace) => Promise<void>;
}
