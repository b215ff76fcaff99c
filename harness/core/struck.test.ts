import { expect, test } from "vitest";
import { struckOperations } from "./struck.ts";
import type { Trace } from "./trace.ts";

const RESPONSE = { outcome: "info", code: "LOST", body: null } as const;

test("an operation is struck by what happens while it is under way, on any of its lanes", () => {
  const command = { name: "toy" };
  const trace: Trace = [
    { type: "invoke", client: 0, index: 0, command },
    { type: "invoke", client: 1, index: 0, command },
    { type: "fault", lane: "0.1", fault: "cut-before" },
    { type: "return", client: 0, index: 0, response: RESPONSE },
    { type: "fault", lane: "0", fault: "cut-before" },
    { type: "invoke", client: 0, index: 1, command },
    { type: "fault", lane: "bg", fault: "terminate" },
  ];
  expect([...struckOperations(trace)]).toEqual(["0/0"]);
});

test.each([
  "crash",
  "kill-before",
  "kill-after",
] as const)("what ends a process strikes all that is under way: %s", (fault) => {
  const command = { name: "toy" };
  const trace: Trace = [
    { type: "invoke", client: 0, index: 0, command },
    { type: "return", client: 0, index: 0, response: RESPONSE },
    { type: "invoke", client: 1, index: 0, command },
    { type: "invoke", client: 2, index: 0, command },
    { type: "fault", lane: fault === "crash" ? "bg" : "1", fault },
  ];
  expect([...struckOperations(trace)]).toEqual(["1/0", "2/0"]);
});
