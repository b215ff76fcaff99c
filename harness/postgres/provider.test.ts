import { describe, expect, test } from "vitest";
import { selectServer, startServer } from "./provider.ts";

const URL = "postgres://me@host/db";

/** A machine on which `auto` does, or does not, find a container. */
const here = (url: string | undefined, lacking?: string) => ({
  url,
  whyNoContainer: async () => lacking,
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
])("%s with HEDDLE_POSTGRES_URL=%s is %s", async (choice, url, provider) => {
  expect((await selectServer(choice, here(url, "no engine runs"))).provider).toBe(provider);
});

test("a URL that is given comes before the one in the environment", async () => {
  expect(await selectServer("postgres://other", here(URL))).toMatchObject({
    url: "postgres://other",
  });
  expect(await selectServer("auto", here(URL))).toMatchObject({ url: URL });
});

test("auto takes a container where it can, and says why, and how to get another server", async () => {
  expect(await selectServer("auto", here(undefined))).toMatchObject({
    provider: "container",
    why: expect.stringMatching(
      /^an engine runs and has the image; another .* embedded, or postgre/,
    ),
  });
  expect(await selectServer("auto", here(undefined, "no engine runs"))).toMatchObject({
    provider: "embedded",
    why: expect.stringMatching(/is not set, and no engine runs; another server: .* container, or/),
  });
});

test("a major version is asked for by its number", async () => {
  expect(await selectServer("embedded:16")).toMatchObject({ major: "16" });
  expect(await selectServer("embedded")).toMatchObject({ major: undefined });
});

describe("what cannot be settled is a mistake in usage", () => {
  test.each([
    ["url", "", /Set HEDDLE_POSTGRES_URL/],
    ["url", "mysql://host", /Set HEDDLE_POSTGRES_URL to a postgres:/],
    ["auto", "host:5432", /Set HEDDLE_POSTGRES_URL to a postgres:/],
    ["mysql://host", "", /There is no Postgres provider "mysql:\/\/host"/],
    ["embedded:latest", "", /There is no Postgres provider "embedded:latest"/],
    ["containers", "", /There is no Postgres provider "containers"/],
    ["", "", /There is no Postgres provider ""/],
  ])("%s with %s", async (choice, url, message) => {
    await expect(selectServer(choice, here(url))).rejects.toMatchObject({
      code: "USAGE",
      message: expect.stringMatching(message),
    });
  });
});

test.each([
  ["embedded", { reuse: true }, /Only a container can be kept/],
  [URL, { reuse: true }, /Only a container can be kept/],
  [URL, { faults: true }, /The server of a URL is not ours to harm/],
  ["container", { reuse: true, faults: true }, /A server that can be harmed is not kept/],
])("%s with %o is refused", async (choice, options, message) => {
  await expect(startServer(choice, options)).rejects.toMatchObject({
    code: "UNSUPPORTED",
    message: expect.stringMatching(message),
  });
});
