import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import type { Server, System } from "../../harness/index.ts";
import booking from "./index.ts";
import type { BookingOperation } from "./operations.ts";
import type { BookingState } from "./state.ts";

/** The booking service on a database of its own, without gates. */
export interface UngatedBooking {
  readonly system: System<BookingState, BookingOperation>;
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
