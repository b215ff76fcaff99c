import { expect, test } from "vitest";
import { scenarioService } from "./scenario-service.ts";

function migrated(setup: () => unknown): Promise<void> {
  const service = scenarioService({ setup, clients: {} }, "a.mjs", new URL("file:///a.mjs"));
  return service.migrate("postgres://127.0.0.1:1/none", undefined);
}

const refused = (port: number) =>
  Object.assign(new Error(`connect ECONNREFUSED 127.0.0.1:${port}`), { code: "ECONNREFUSED" });

test("the error of a setup is the setup's, also where something else refuses a connection", async () => {
  const error = { code: "SERVICE_FAILED" };
  await expect(migrated(() => Promise.reject(refused(6379)))).rejects.toMatchObject({
    ...error,
    message: "the scenario's setup failed: Error: connect ECONNREFUSED 127.0.0.1:6379",
  });
  const both = new AggregateError([refused(1), refused(2)]);
  await expect(migrated(() => Promise.reject(both))).rejects.toMatchObject({
    ...error,
    message: expect.stringMatching(/:1; .*:2$/),
  });
});
