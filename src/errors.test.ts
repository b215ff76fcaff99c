import { DatabaseError } from "pg";
import { describe, expect, test } from "vitest";
import { errorFromPostgres, isTransient, ServiceError } from "./errors.ts";

function databaseError(fields: Partial<DatabaseError>, message = "what Postgres says") {
  return Object.assign(new DatabaseError(message, 0, "error"), fields);
}

describe("a database error", () => {
  test.each([
    ["BK001", "SLOT_NOT_FOUND", 404],
    ["BK002", "SLOT_PROVIDER_MISMATCH", 422],
    ["BK003", "SLOT_IN_PAST", 422],
    ["BK004", "BOOKING_CONFLICT", 409],
    ["BK005", "BOOKING_NOT_FOUND", 404],
    ["BK006", "BOOKING_NOT_ACTIVE", 409],
    ["BK007", "SLOT_HAS_BOOKING", 409],
    ["BK008", "IDEMPOTENCY_KEY_REUSED", 422],
    ["BK009", "PAYMENT_MISMATCH", 422],
    ["BK010", "FORBIDDEN", 403],
  ])("%s is the refusal %s, with the schema's message", (code, name, status) => {
    const error = databaseError({ code, hint: "Do this." });

    expect(errorFromPostgres(error)).toMatchObject({
      code: name,
      status,
      message: "what Postgres says",
      hint: "Do this.",
      cause: error,
    });
  });

  test.each([
    { code: "23P01", constraint: "bookings_no_overlap_provider_time" },
    { code: "23505", constraint: "idx_bookings_provider_time_unique" },
  ])("%o is a booked slot", (fields) => {
    expect(errorFromPostgres(databaseError(fields))).toMatchObject({
      code: "BOOKING_CONFLICT",
      status: 409,
      message: "Slot is not available",
    });
  });

  test.each(["40001", "40P01"])("%s is a conflict that a retry may resolve", (code) => {
    expect(errorFromPostgres(databaseError({ code }))).toMatchObject({
      code: "BOOKING_CONFLICT",
      status: 409,
      hint: "Try again.",
    });
  });

  test.each([
    { code: "23505", constraint: "idx_bookings_idempotency_key" },
    { code: "23P01", constraint: "another" },
    { code: "42P01" },
    { code: "P0001" },
    {},
  ])("%o is an internal error without Postgres' message", (fields) => {
    const error = errorFromPostgres(databaseError(fields));

    expect(error).toMatchObject({ code: "INTERNAL_ERROR", status: 500 });
    expect(error.message + error.hint).not.toContain("Postgres");
  });

  test.each(["22P02", "22003", "22008", "22021"])("%s is a bad request", (code) => {
    const error = errorFromPostgres(databaseError({ code, hint: "what Postgres advises" }));

    expect(error).toMatchObject({ code: "VALIDATION_ERROR", status: 400 });
    expect(error.message + error.hint).not.toContain("Postgres");
  });

  test("55P03, a lock timeout, is a conflict with another request", () => {
    const error = errorFromPostgres(databaseError({ code: "55P03" }));

    expect(error).toMatchObject({ code: "DATABASE_BUSY", status: 503 });
    expect(error.message + error.hint).not.toContain("Postgres");
  });

  test.each(["57P01", "57P03", "57014", "53300", "08006"])("%s is an outage", (code) => {
    expect(errorFromPostgres(databaseError({ code }))).toMatchObject({
      code: "DATABASE_UNAVAILABLE",
      status: 503,
    });
  });
});

describe("an error without a database", () => {
  const refused = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });

  test.each([
    refused,
    new AggregateError([refused]),
    Object.assign(new Error("connect ENOENT /tmp/.s.PGSQL.5432"), { code: "ENOENT" }),
    Object.assign(new Error("getaddrinfo EAI_AGAIN db"), { code: "EAI_AGAIN" }),
    new Error("Connection terminated unexpectedly"),
    new Error("Connection terminated due to connection timeout"),
    new Error("timeout expired"),
    new Error("Query read timeout"),
    new Error("timeout exceeded when trying to connect"),
    new Error("Client has encountered a connection error and is not queryable"),
    new Error("Cannot use a pool after calling end on the pool"),
  ])("is an outage if the connection failed (%s)", (error) => {
    expect(errorFromPostgres(error).code).toBe("DATABASE_UNAVAILABLE");
  });

  test.each([
    new TypeError("x is not a function"),
    new AggregateError([new Error("one"), new Error("two")]),
    Object.assign(new Error("bad option"), { code: "ERR_INVALID_ARG_TYPE" }),
    "a string",
    undefined,
  ])("is an internal error otherwise (%s)", (error) => {
    expect(errorFromPostgres(error).code).toBe("INTERNAL_ERROR");
  });
});

test("only deadlocks and serialization failures are transient", () => {
  expect(["40001", "40P01"].map((code) => isTransient(databaseError({ code })))).toEqual([
    true,
    true,
  ]);
  expect(["BK004", "23P01"].map((code) => isTransient(databaseError({ code })))).toEqual([
    false,
    false,
  ]);
  expect(isTransient(new ServiceError("BOOKING_CONFLICT", "taken", "choose another"))).toBe(false);
});
