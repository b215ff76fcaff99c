import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { expect, test } from "vitest";
import { Deployment } from "./deployment.ts";

test("a deployment that accepts a request and never answers is an error", async () => {
  const silent = createServer((socket) => socket.on("error", () => {}).resume());
  silent.listen(0, "127.0.0.1");
  await once(silent, "listening");
  const { port } = silent.address() as AddressInfo;
  const deployment = new Deployment(`http://127.0.0.1:${port}`, 1, 20);
  await expect(deployment.freeSlots("1")).rejects.toMatchObject({
    code: "CONNECTION_LOST",
    message: expect.stringContaining("does not answer"),
  });
  await deployment.close();
  silent.close();
});
