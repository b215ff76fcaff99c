import { expect, test } from "vitest";
import { scenarioProblem } from "./scenario-definition.ts";
import { scenarioService } from "./scenario-service.ts";
import { shortMessage } from "./short-message.ts";

function migrated(setup: () => unknown): Promise<void> {
  const service = scenarioService({ setup, clients: {} }, "a.mjs", new URL("file:///a.mjs"));
  return service.migrate("postgres://127.0.0.1:1/none", undefined);
}

const refused = (port: number) =>
  Object.assign(new Error(`connect ECONNREFUSED 127.0.0.1:${port}`), { code: "ECONNREFUSED" });

test.each([
  [undefined, undefined],
  ["serializable", "serializable"],
  ["repeatable read", "repeatable read"],
  ["read-committed", "read committed"],
] as const)("a scenario's isolation level %j is the service's %j", (isolation, expected) => {
  const definition = { setup: "", clients: { a() {} }, ...(isolation && { isolation }) };
  expect(scenarioProblem(definition)).toBeUndefined();
  expect(scenarioService(definition, "a.mjs", new URL("file:///a.mjs")).isolation).toBe(expected);
});

test.each(["snapshot", "Serializable", 1, null])("%j is no isolation level", (isolation) => {
  expect(scenarioProblem({ setup: "", clients: { a() {} }, isolation })).toMatch(
    /^`isolation` is none of "read committed", "repeatable read", "serializable"$/,
  );
});

test("the error of a setup is the setup's, also where something else refuses a connection", async () => {
  const error = { code: "SERVICE_FAILED" };
  await expect(migrated(() => Promise.reject(refused(6379)))).rejects.toMatchObject({
    ...error,
    message: "the setup's function failed: Error: connect ECONNREFUSED 127.0.0.1:6379",
  });
  const both = new AggregateError([refused(1), refused(2)]);
  await expect(migrated(() => Promise.reject(both))).rejects.toMatchObject({
    ...error,
    message: expect.stringMatching(/:1; .*:2$/),
  });
});

test.each([
  [
    "SoldOut",
    "no seat is left",
    ' threw SoldOut: no seat is left, .*: add errors: \\["SoldOut"\\]',
  ],
  ["Error", "sold out", ' threw Error: sold out, .*: add errors: \\["sold out"\\]'],
  ["Error", "", ' threw Error, .*: add errors: \\["Error"\\]'],
  ["THROWN", 'a "word"', ' threw a "word", .*: add errors: \\["a \\\\"word\\\\""\\]'],
  ["40001", "could not", ' ended with 40001 \\(could not\\), .*: add errors: \\["40001"\\]'],
])("an unexpected %s is reported with what accepts it: %j", (code, message, expected) => {
  const service = (errors: readonly string[]) =>
    scenarioService({ setup: "", clients: { a() {} }, errors }, "a.mjs", new URL("file:///a.mjs"));
  const response = { outcome: "fail", code, body: { message } } as const;
  expect(service([]).unexpected?.("a", response)).toMatch(new RegExp(expected));
  expect(service(["other", "", message.slice(1)]).expects?.("a", response)).toBe(false);
  if (message !== "") expect(service([message]).expects?.("a", response)).toBe(true);
  expect(service([code]).expects?.("a", response)).toBe(true);
});

test.each([
  ["short\n  text", "short text"],
  [
    `Traceback (most recent call last):\n${'  File "claim.py", line 3, in <module>\n'.repeat(20)}psycopg.errors.DeadlockDetected: deadlock detected\nDETAIL:  Process 1`,
    "psycopg.errors.DeadlockDetected: deadlock detected",
  ],
  [
    `claim.rb:3:in 'exec': duplicate key (PG::UniqueViolation, an error)\n${"\tfrom claim.rb:9\n".repeat(20)}`,
    "claim.rb:3:in 'exec': duplicate key (PG::UniqueViolation, an error)",
  ],
  [
    `file:///app/claim.mjs:3\n  throw new Error("sold out");\n        ^\n\nError: sold out\n${"    at main (claim.mjs:3)\n".repeat(20)}`,
    "Error: sold out",
  ],
])("the message of a program is its telling line: %j", (text, telling) => {
  expect(shortMessage(text)).toBe(telling);
});
