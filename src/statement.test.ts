import { DatabaseError } from "pg";
import { expect, test, vi } from "vitest";
import { ATTEMPTS, retryTransient } from "./statement.ts";

function failure(sqlstate: string): DatabaseError {
  return Object.assign(new DatabaseError("failed", 0, "error"), { code: sqlstate });
}

test.each(["40001", "40P01"])("a statement that failed with %s runs again", async (code) => {
  const transaction = vi.fn<() => Promise<string>>();
  transaction.mockRejectedValueOnce(failure(code)).mockResolvedValueOnce("done");

  await expect(retryTransient(transaction)).resolves.toBe("done");
  expect(transaction).toHaveBeenCalledTimes(2);
});

test("the last attempt's error reaches the caller", async () => {
  const transaction = vi.fn(() => Promise.reject(failure("40P01")));

  await expect(retryTransient(transaction)).rejects.toMatchObject({ code: "40P01" });
  expect(transaction).toHaveBeenCalledTimes(ATTEMPTS);
});

test.each([
  failure("BK004"),
  failure("23P01"),
  failure("57P01"),
  new Error("40001"),
])("any other error is not retried (%s)", async (error) => {
  const transaction = vi.fn(() => Promise.reject(error));

  await expect(retryTransient(transaction)).rejects.toBe(error);
  expect(transaction).toHaveBeenCalledTimes(1);
});
