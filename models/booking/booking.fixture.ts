import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import {
  type DefinedScenario,
  type DefinedState,
  definedService,
  type Operation,
  type Server,
  type Service,
  type System,
} from "../../harness/index.ts";
import definition from "./index.ts";

/** The service that the definition compiles to. */
export const booking: Service<DefinedState, Operation> = definedService(
  definition,
  "models/booking/index.ts",
  new URL("./index.ts", import.meta.url),
);

/** A scenario in the calendar, for a search of it alone. */
export function scenarioOf(...clients: readonly (readonly Operation[])[]): DefinedScenario {
  return { initial: { prefix: [] }, clients };
}

/** A create over HTTP, or by the function, with these arguments. */
export function createOf(
  name: "create" | "createDirectly",
  slot: number,
  others: Partial<Operation> = {},
): Operation {
  return {
    name,
    ...(name === "create" && { as: "creator" }),
    slot,
    customer: "customer-9",
    customerName: `Zoë "Z" O'Neil 🦓`,
    notes: "a\\b;\n-- c",
    createdBy: "customer",
    ...{ idempotencyKey: null, paymentIntentId: null, provider: null },
    ...(others as object),
  };
}

/** The booking service on a database of its own, without gates. */
export interface UngatedBooking {
  readonly system: System<DefinedState, Operation>;
  /** A session beside those of the service. */
  readonly beside: Client;
  stop(): Promise<void>;
}

export async function startUngated(server: Server, mutant?: string): Promise<UngatedBooking> {
  const { url, drop } = await server.lease();
  await booking.migrate(url, mutant);
  const folder = await mkdtemp(join(tmpdir(), "booking-"));
  const context = {
    gatedUrl: url,
    directUrl: url,
    folder,
    urlFor: async () => url,
    sessionsOf: () => 0,
    isBusy: () => false,
    listenOn: async () => {},
  };
  const system = await booking.start(context, mutant);
  const beside = new Client({ connectionString: url });
  await beside.connect();
  return {
    system,
    beside,
    async stop() {
      await system.stop();
      await beside.end();
      await drop();
      await rm(folder, { recursive: true });
    },
  };
}
