import { readdir } from "node:fs/promises";
import { expect, test } from "vitest";
import { testFaults } from "./faults.fixture.ts";
import { startServer } from "./provider.ts";

testFaults("embedded");

test("a server that was started without faults has none", async () => {
  const server = await startServer("embedded");
  expect(server.faults).toBe(undefined);
  expect(await readdir(server.folder)).toEqual([]);
  await server.stop();
});
