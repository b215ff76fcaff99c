import { describe, expect, test } from "vitest";
import { selectServer, startServer } from "./provider.ts";

const URL = "postgres://me@host/db";

/** An environment in which `auto` finds a container, or `missing` says why not. */
const environment = (url: string | undefined, missing?: string) => ({
  url,
  whyNoContainer: async () => missing,
});

test.each([
  ["auto", undefined, "embedded"],
  ["auto", "", "embedded"],
  ["auto", URL, "url"],
  ["embedded", undefined, "embedded"],
  ["embedded", URL, "embedded"],
  ["embedded:16", URL, "embedded"],
  ["container", URL, "container"],
  ["container:17-alpine", undefined, "container"],
  ["url", URL, "url"],
  [URL, undefined, "url"],
  ["postgresql://host", undefined, "url"],
])("%s with HEDDLE_POSTGRES_URL=%s selects %s", async (choice, url, provider) => {
  expect((await selectServer(choice, environment(url, "no engine runs"))).provider).toBe(provider);
});

test("a given URL has precedence over the one in the environment", async () => {
  expect(await selectServer("postgres://other", environment(URL))).toMatchObject({
    url: "postgres://other",
  });
  expect(await selectServer("auto", environment(URL))).toMatchObject({ url: URL });
});

test("auto selects a container if possible, and says why, and how to get another server", async () => {
  expect(await selectServer("auto", environment(undefined))).toMatchObject({
    provider: "container",
    why: expect.stringMatching(
      /^a container engine is running and has the image; another .* embedded, or postgre/,
    ),
  });
  expect(await selectServer("auto", environment(undefined, "no engine runs"))).toMatchObject({
    provider: "embedded",
    why: expect.stringMatching(/is not set, and no engine runs; another server: .* container, or/),
  });
});

test("a major version is selected by its number", async () => {
  expect(await selectServer("embedded:16")).toMatchObject({ major: "16" });
  expect(await selectServer("embedded")).toMatchObject({ major: undefined });
});

describe("a choice that selects no server is a usage error", () => {
  test.each([
    ["url", "", /Set HEDDLE_POSTGRES_URL/],
    ["url", "mysql://host", /Set HEDDLE_POSTGRES_URL to a postgres:/],
    ["auto", "host:5432", /Set HEDDLE_POSTGRES_URL to a postgres:/],
    ["mysql://host", "", /Unknown Postgres provider "mysql:\/\/host"/],
    ["embedded:latest", "", /Unknown Postgres provider "embedded:latest"/],
    ["containers", "", /Unknown Postgres provider "containers"/],
    ["", "", /Unknown Postgres provider ""/],
  ])("%s with %s", async (choice, url, message) => {
    await expect(selectServer(choice, environment(url))).rejects.toMatchObject({
      code: "USAGE",
      message: expect.stringMatching(message),
    });
  });
});

test.each([
  ["embedded", { reuse: true }, /Only a container can be reused/],
  [URL, { reuse: true }, /Only a container can be reused/],
  [URL, { faults: true }, /does not inject faults into a server that it has not started/],
  ["container", { reuse: true, faults: true }, /A container for faults cannot be reused/],
])("%s with %o is rejected", async (choice, options, message) => {
  await expect(startServer(choice, options)).rejects.toMatchObject({
    code: "UNSUPPORTED",
    message: expect.stringMatching(message),
  });
});
