import { once } from "node:events";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { localConnection } from "./local-connection.ts";

test("each end reads what is written to the other, in order, and then its end", async () => {
  const { service, gate } = localConnection(() => {});
  gate.end("to the service");
  service.write("to ");
  service.cork();
  service.write("the ");
  service.write("gate");
  service.uncork();
  service.end();
  expect(await Promise.all([text(service), text(gate)])).toEqual(["to the service", "to the gate"]);
});

test("the connection is accepted when the driver connects, and the driver gets the event", async () => {
  let accepted = 0;
  const { service } = localConnection(() => accepted++);
  expect(accepted).toBe(0);
  const connected = once(service, "connect");
  (service as unknown as { connect(): void }).connect();
  expect(accepted).toBe(1);
  await connected;
});

test("an end that is destroyed closes the other, like a socket", async () => {
  for (const end of ["service", "gate"] as const) {
    const ends = localConnection(() => {});
    const other = end === "service" ? ends.gate : ends.service;
    other.resume();
    ends[end].destroy();
    other.write("lost");
    await once(other, "close");
  }
});
