import { describe, expect, test } from "vitest";
import type { Execution } from "../core/execution.ts";
import type { Response } from "../core/history.ts";
import { checkContract, contractChecker } from "./contract.ts";

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

  test("calls a client by its name", () => {
    const execution = executionWith({ outcome: "fail", code: "TAKEN", status: 503 });
    const messageWith = (clientNames?: readonly string[]) =>
      checkContract(execution, { codes: CODES, ...(clientNames && { clientNames }) })[0]?.message;
    expect(messageWith(["ada"])).toContain("client ada was answered");
    expect(messageWith()).toContain("client 0's book was answered");
  });

  test("rejects an unknown code, and any code of an unknown operation", () => {
    expect(names(executionWith({ code: "SQLSTATE_40P01" }))).toEqual(["unexpected-SQLSTATE_40P01"]);
    expect(checkContract(executionWith({}), { codes: {} }).map(({ name }) => name)).toEqual([
      "unexpected-BOOKED",
    ]);
  });

  test("the service may accept an unknown code, or say why it does not", () => {
    const messages = (unexpected: () => string | undefined) =>
      checkContract(executionWith({ code: "NEW" }), { codes: CODES, unexpected }).map(
        ({ message }) => message,
      );
    expect(messages(() => undefined)).toEqual([]);
    expect(messages(() => "it is new")).toEqual(["it is new"]);
  });

  test("accepts what the service expects, whatever its status", () => {
    const failed = executionWith({ code: "503", status: 503 });
    expect(names(failed)).toEqual(["no-server-error"]);
    const expects = (_: string, { code }: Response) => code === "503";
    expect(checkContract(failed, { codes: CODES, expects })).toEqual([]);
    expect(
      checkContract(executionWith({ code: "500", status: 500 }), { codes: CODES, expects }),
    ).toHaveLength(1);
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
    expect(names(faulted({ outcome: "ok", code: "WELL" }, "0"))).toEqual(["unexpected-WELL"]);
  });

  test("rejects the end of a service, and what was unanswered then is no finding of its own", () => {
    const lastWords =
      "app.mjs:3\n  throw new Error(x)\n^\nerror: duplicate key value\n    at app.mjs:3";
    const serviceEnd = { code: "EXIT_1", lastWords };
    const lost = { outcome: "info", code: "CONNECTION_SERVICE_ENDED" } as const;
    const [violation, ...others] = checkContract(executionWith(lost, { serviceEnd }), {
      codes: CODES,
    });
    expect(violation).toMatchObject({
      name: "service-stays-up",
      message: "the service ended with EXIT_1: error: duplicate key value",
      evidence: [serviceEnd],
    });
    expect(others).toEqual([]);
    const silent = { code: "SIGSEGV", lastWords: "" };
    expect(
      checkContract(executionWith({}, { serviceEnd: silent }), { codes: CODES }),
    ).toMatchObject([{ message: "the service ended with SIGSEGV", evidence: [silent] }]);
  });

  test("has the rule on the end of a service only where a service can end", () => {
    const rules = (ownProcess: boolean) =>
      contractChecker({ codes: CODES, ownProcess }).rules.map(({ name }) => name);
    expect(rules(true)).toContain("service-stays-up");
    expect(rules(false)).not.toContain("service-stays-up");
  });

  test("accepts an operation that never returned", () => {
    const execution = executionWith({});
    expect(names({ ...execution, trace: execution.trace.slice(0, 1) })).toEqual([]);
  });
});
