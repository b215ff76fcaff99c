import type { ClientBase } from "pg";
import type { GateName } from "../core/control.ts";
import type { Place } from "../core/trace.ts";
import { controlConnection } from "../postgres/connection.ts";
import { commitGates } from "./commit-gates.ts";
import { definitionGates } from "./definition-gates.ts";
import { installGateFunction } from "./gate-function.ts";
import type { GateKind, UninstrumentedRoutine, WireGates } from "./gate-kind.ts";
import { GateLocks } from "./gate-locks.ts";
import { lockGates } from "./lock-gates.ts";
import { messageGates } from "./message-gates.ts";
import { routineGates } from "./routine-gates.ts";
import { rowGates } from "./row-gates.ts";
import { snapshotGates } from "./snapshot-gates.ts";
import { type UngatedPart, ungatedParts } from "./ungated-parts.ts";

/** Every kind of gate inside the server, in the order of installation. */
export const GATE_KINDS: readonly GateKind[] = [
  routineGates,
  rowGates,
  commitGates,
  definitionGates,
  snapshotGates,
  messageGates,
  lockGates,
];

/** The gates inside the server of one database. */
export interface InnerGates {
  readonly locks: GateLocks;
  /** The places of the gates by number. */
  readonly places: ReadonlyMap<number, Place>;
  readonly uninstrumented: readonly UninstrumentedRoutine[];
  /** What the installed kinds leave uncontrolled on this server, as sentences of a report. */
  readonly uncontrolled: readonly string[];
  /** The parts of statements that have no gate although clients can race there. */
  readonly ungated: readonly UngatedPart[];
  readonly wire: WireGates;
  /** Reconnects after the server was killed and started again. */
  reopen(): Promise<void>;
  close(): Promise<void>;
}

/** Installs the gates of these kinds in a migrated, disposable database. */
export async function installGates(
  directUrl: string,
  names: readonly GateName[],
): Promise<InnerGates> {
  let client = await controlConnection(directUrl, "heddle gates");
  try {
    const kinds = GATE_KINDS.filter(({ name }) => names.includes(name));
    const installed = await installKinds(client, kinds, names);
    const locks = new GateLocks(client);
    return {
      locks,
      ...installed,
      async reopen() {
        client = await controlConnection(directUrl, "heddle gates");
        locks.use(client);
      },
      close: () => client.end(),
    };
  } catch (error) {
    await client.end();
    throw error;
  }
}

async function installKinds(
  client: ClientBase,
  kinds: readonly GateKind[],
  names: readonly GateName[],
): Promise<Pick<InnerGates, "places" | "uninstrumented" | "uncontrolled" | "ungated" | "wire">> {
  await installGateFunction(client);
  const places = new Map<number, Place>();
  const uninstrumented: UninstrumentedRoutine[] = [];
  const uncontrolled: string[] = [];
  let wire: WireGates = {};
  for (const kind of kinds) {
    const installed = await kind.install(client, places.size + 1, names);
    for (const place of installed.places) places.set(places.size + 1, place);
    uninstrumented.push(...(installed.uninstrumented ?? []));
    uncontrolled.push(...(installed.uncontrolled ?? []));
    wire = { ...wire, ...installed.wire };
  }
  const ungated = await ungatedParts(client, places);
  return { places, uninstrumented, uncontrolled, ungated, wire };
}
