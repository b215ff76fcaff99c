import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { CLIENT_HEADER, ConnectionOwners } from "./connection-owners.ts";

/** The process id of the backend of the only connection. */
const PID = 7;

/** A pool that queues each request, as that of `pg` does, and then gives out its connection. */
class OneConnection {
  totalCount = 1;
  idleCount: number;
  waitingCount = 0;

  constructor(idleCount: number) {
    this.idleCount = idleCount;
  }

  async connect(): Promise<{ processID: number }> {
    this.waitingCount++;
    await new Promise(setImmediate);
    this.waitingCount--;
    return { processID: PID };
  }
}

test.each([
  ["that waited for a connection belongs to its client", 0, 3],
  ["that found an idle connection belongs to none", 1, undefined],
])("what is executed by a request %s", async (_, idle, owner) => {
  const pool = new OneConnection(idle);
  const owners = new ConnectionOwners([pool]);
  const service = createServer((_request, response) => {
    pool.connect().then(
      () => response.end(),
      (error: unknown) => response.destroy(error as Error),
    );
  }).listen(0, "127.0.0.1");
  await once(service, "listening");
  try {
    const { port } = service.address() as AddressInfo;
    await fetch(`http://127.0.0.1:${port}`, { headers: { [CLIENT_HEADER]: "3" } });
    expect(owners.ownerOf(PID)).toBe(owner);
  } finally {
    owners.stop();
    service.closeAllConnections();
    service.close();
  }
});
