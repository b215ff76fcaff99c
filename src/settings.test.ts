import { expect, test } from "vitest";
import { settingsFrom } from "./settings.ts";

const DATABASE_URL = "postgres://user@localhost/bookings";

test("settings have defaults, except for the database", () => {
  expect(settingsFrom({ DATABASE_URL })).toEqual({
    databaseUrl: DATABASE_URL,
    port: 3_000,
    host: "127.0.0.1",
    gatewayUrl: undefined,
    requestsPerMinute: 300,
    lockTimeoutMs: 2_000,
    statementTimeoutMs: 5_000,
    requestTimeoutMs: 10_000,
    gracePeriodMs: 10_000,
  });
});

test("settings are read from the environment", () => {
  const env = {
    ...{ DATABASE_URL, PORT: "0", HOST: "::1", GATEWAY_URL: "http://127.0.0.1:4000" },
    ...{ REQUESTS_PER_MINUTE: "7", LOCK_TIMEOUT_MS: "0", STATEMENT_TIMEOUT_MS: "1" },
    ...{ REQUEST_TIMEOUT_MS: "2", GRACE_PERIOD_MS: "3" },
  };
  expect(settingsFrom(env)).toEqual({
    databaseUrl: DATABASE_URL,
    port: 0,
    host: "::1",
    gatewayUrl: "http://127.0.0.1:4000",
    requestsPerMinute: 7,
    lockTimeoutMs: 0,
    statementTimeoutMs: 1,
    requestTimeoutMs: 2,
    gracePeriodMs: 3,
  });
});

test.each([
  ["REQUESTS_PER_MINUTE", "abc", "a whole number from 1 to 1000000000"],
  ["REQUESTS_PER_MINUTE", "0", "a whole number from 1 to 1000000000"],
  ["REQUESTS_PER_MINUTE", "1e3", "a whole number from 1 to 1000000000"],
  ["PORT", "65536", "a whole number from 0 to 65535"],
  ["PORT", "", "a whole number from 0 to 65535"],
  ["LOCK_TIMEOUT_MS", "-1", "a whole number from 0 to 3600000"],
  ["STATEMENT_TIMEOUT_MS", "1.5", "a whole number from 0 to 3600000"],
  ["REQUEST_TIMEOUT_MS", "5s", "a whole number from 0 to 3600000"],
  ["GRACE_PERIOD_MS", "0", "a whole number from 1 to 3600000"],
])("%s=%s is refused", (name, value, allowed) => {
  expect(() => settingsFrom({ DATABASE_URL, [name]: value })).toThrow(
    `${name} is "${value}": set it to ${allowed}.`,
  );
});

test.each([
  undefined,
  "",
  "localhost",
  "mysql://root:secret@localhost/x",
])("DATABASE_URL=%s is refused, without a word of it", (url) => {
  const error = /^(Set DATABASE_URL|DATABASE_URL is no URL of a Postgres database).*bookings\.$/;
  expect(() => settingsFrom({ DATABASE_URL: url })).toThrow(error);
});

test.each(["", "gateway", "ftp://gateway", "http://"])("GATEWAY_URL=%s is refused", (url) => {
  expect(() => settingsFrom({ DATABASE_URL, GATEWAY_URL: url })).toThrow("GATEWAY_URL is no URL");
});
