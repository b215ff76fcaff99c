import { describe, expect, test } from "vitest";
import type { Execution } from "../core/execution.ts";
import type { Response } from "../core/history.ts";
import { checkContract } from "./contract.ts";

const CODES = { book: ["BOOKED", "TAKEN"] };

function executionWith(response: Partial<Response>, rest: Partial<Execution> = {}): Execution {
  return {
    scenario: { initial: null, clients: [[{ name: "book" }]] },
    schedule: { version: 1, entries: ["0"] },
    trace: [
      { type: "invoke", client: 0, index: 0, operation: { name: "book" } },
      {
        type: "return",
        client: 0,
        index: 0,
        response: { outcome: "ok", code: "BOOKED", body: null, ...response },
      },
    ],
    completion: { type: "complete" },
    openTransactions: 0,
    snapshot: {},
    contents: undefined,
    ...rest,
  };
}

const names = (execution: Execution) =>
  checkContract(execution, { codes: CODES }).map(({ name }) => name);

describe("the service contract", () => {
  test("accepts known codes, of success and of refusal", () => {
    expect(names(executionWith({ status: 201 }))).toEqual([]);
    expect(names(executionWith({ outcome: "fail", code: "TAKEN", status: 409 }))).toEqual([]);
  });

  test("rejects a server error, also one with a known code", () => {
    expect(names(executionWith({ outcome: "fail", code: "TAKEN", status: 503 }))).toEqual([
      "no-server-error",
    ]);
  });

  test("rejects an unknown code, and any code of an unknown operation", () => {
    expect(names(executionWith({ code: "SQLSTATE_40P01" }))).toEqual(["known-codes"]);
    expect(checkContract(executionWith({}), { codes: {} }).map(({ name }) => name)).toEqual([
      "known-codes",
    ]);
  });

  test("rejects an endless wait", () => {
    expect(names(executionWith({}, { completion: { type: "stuck", waits: "1 for 0" } }))).toEqual([
      "no-endless-wait",
    ]);
  });

  test("accepts any failure of an affected operation, and of no other", () => {
    const failed = { outcome: "info", code: "HTTP_500", status: 500 } as const;
    const faulted = (response: Partial<Response>, task: string): Execution => {
      const { trace, ...rest } = executionWith(response);
      const [invoke, answer] = trace;
      if (invoke === undefined || answer === undefined) throw new Error("no trace");
      return { ...rest, trace: [invoke, { type: "fault", task, fault: "cut-after" }, answer] };
    };
    expect(names(executionWith(failed))).toEqual(["no-server-error"]);
    expect(names(faulted(failed, "0"))).toEqual([]);
    expect(names(faulted(failed, "1"))).toEqual(["no-server-error"]);
    expect(names(faulted({ outcome: "fail", code: "SQLSTATE_57014" }, "0"))).toEqual([]);
    expect(names(faulted({ outcome: "ok", code: "WELL" }, "0"))).toEqual(["known-codes"]);
  });

  test("accepts an operation that never returned", () => {
    const execution = executionWith({});
    expect(names({ ...execution, trace: execution.trace.slice(0, 1) })).toEqual([]);
  });
});
