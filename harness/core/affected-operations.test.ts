import { expect, test } from "vitest";
import { affectedOperations } from "./affected-operations.ts";
import type { Trace } from "./trace.ts";

const RESPONSE = { outcome: "info", code: "LOST", body: null } as const;

test("a fault in any task of an operation that is under way affects it", () => {
  const operation = { name: "toy" };
  const trace: Trace = [
    { type: "invoke", client: 0, index: 0, operation },
    { type: "invoke", client: 1, index: 0, operation },
    { type: "fault", task: "0.1", fault: "cut-before" },
    { type: "return", client: 0, index: 0, response: RESPONSE },
    { type: "fault", task: "0", fault: "cut-before" },
    { type: "invoke", client: 0, index: 1, operation },
    { type: "fault", task: "bg", fault: "terminate" },
  ];
  expect([...affectedOperations(trace)]).toEqual(["0/0"]);
});

test("a client that is killed takes no other one with it", () => {
  const operation = { name: "toy" };
  const trace: Trace = [
    { type: "invoke", client: 0, index: 0, operation },
    { type: "invoke", client: 1, index: 0, operation },
    { type: "fault", task: "1", fault: "kill-client-before" },
  ];
  expect([...affectedOperations(trace)]).toEqual(["1/0"]);
});

test.each([
  "crash",
  "kill-before",
  "kill-after",
] as const)("a fault that ends a process affects every operation that is under way: %s", (fault) => {
  const operation = { name: "toy" };
  const trace: Trace = [
    { type: "invoke", client: 0, index: 0, operation },
    { type: "return", client: 0, index: 0, response: RESPONSE },
    { type: "invoke", client: 1, index: 0, operation },
    { type: "invoke", client: 2, index: 0, operation },
    { type: "fault", task: fault === "crash" ? "bg" : "1", fault },
  ];
  expect([...affectedOperations(trace)]).toEqual(["1/0", "2/0"]);
});
