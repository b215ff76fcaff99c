import { expect, test } from "vitest";
import { calls, type History, type Response } from "./history.ts";
import type { Operation } from "./operation.ts";

const operation = (name: string): Operation => ({ name });
const ok = (code: string): Response => ({ outcome: "ok", code, body: null });

test("calls pair each invocation with its return, in the order of invocation", () => {
  const history: History = [
    { type: "invoke", client: 1, index: 0, operation: operation("first") },
    { type: "invoke", client: 0, index: 0, operation: operation("second") },
    { type: "return", client: 0, index: 0, response: ok("B") },
    { type: "invoke", client: 0, index: 1, operation: operation("third") },
    { type: "return", client: 1, index: 0, response: ok("A") },
    { type: "return", client: 0, index: 1, response: ok("C") },
  ];
  const pairs = calls(history).map(({ client, index, operation: { name }, response, ...at }) => [
    client,
    index,
    name,
    response?.code,
    at,
  ]);
  expect(pairs).toEqual([
    [1, 0, "first", "A", { invokedAt: 0, returnedAt: 4 }],
    [0, 0, "second", "B", { invokedAt: 1, returnedAt: 2 }],
    [0, 1, "third", "C", { invokedAt: 3, returnedAt: 5 }],
  ]);
});

test("an operation that never returned has no response, and returns after all others", () => {
  const history: History = [
    { type: "invoke", client: 0, index: 0, operation: operation("lost") },
    { type: "invoke", client: 1, index: 0, operation: operation("answered") },
    { type: "return", client: 1, index: 0, response: ok("OK") },
  ];
  const [lost, answered] = calls(history);
  expect(lost?.response).toBeUndefined();
  expect(lost?.returnedAt).toBe(Number.POSITIVE_INFINITY);
  expect(answered?.response?.code).toBe("OK");
});

test("an empty history has no calls", () => {
  expect(calls([])).toEqual([]);
});
