import { DatabaseError } from "pg";
import { expect, test } from "vitest";
import { performByFunction } from "./functions.ts";

const cancel = { name: "cancel", via: "function", booking: 1, by: "vendor:1" } as const;

function failure(sqlstate: string): DatabaseError {
  return Object.assign(new DatabaseError("no", 0, "error"), { code: sqlstate });
}

const codeOf = ({ code }: DatabaseError) => (code === "BK005" ? "BOOKING_NOT_FOUND" : undefined);
const answer = (error: Error) => performByFunction(() => Promise.reject(error), cancel, codeOf);

test("a refusal of the schema has the service's code", async () => {
  expect(await answer(failure("BK005"))).toEqual({
    outcome: "fail",
    code: "BOOKING_NOT_FOUND",
    body: null,
  });
});

test.each([
  "40P01",
  "40001",
  "XX000",
])("any other error has its SQLSTATE as code: %s", async (s) => {
  expect(await answer(failure(s))).toMatchObject({ outcome: "fail", code: `SQLSTATE_${s}` });
});

test("a serialization failure is retried, up to five attempts", async () => {
  const outcomeOf = async (failures: number) => {
    let calls = 0;
    const query = async () => {
      if (calls++ < failures) throw failure("40001");
      return [{ id: 1 }];
    };
    const { code } = await performByFunction(query, cancel, codeOf);
    return { calls, code };
  };
  expect(await outcomeOf(4)).toEqual({ calls: 5, code: "CANCELLED" });
  expect(await outcomeOf(5)).toEqual({ calls: 5, code: "SQLSTATE_40001" });
});

test("a deadlock is not retried", async () => {
  let calls = 0;
  const query = () => {
    calls++;
    return Promise.reject(failure("40P01"));
  };
  expect(await performByFunction(query, cancel, codeOf)).toMatchObject({ code: "SQLSTATE_40P01" });
  expect(calls).toBe(1);
});

test.each([
  failure("57P01"),
  failure("08006"),
  new Error("Connection terminated unexpectedly"),
])("a lost connection leaves the outcome unknown: %s", async (error) => {
  expect(await answer(error)).toEqual({ outcome: "info", code: "CONNECTION_LOST", body: null });
});
