import { expect, test } from "vitest";
import { containerError } from "./run-container.ts";

test.each([
  ["(HTTP code 404) no such image - No such image: postgres:0", "", /there is no such image/],
  ["(HTTP code 404) manifest for postgres:0 not found: manifest unknown", "", /no such image/],
  [
    'Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io: no such host',
    "",
    /its registry cannot be reached: pull or load it first/,
  ],
  ["failed to register layer: write /x: no space left on device", "", /the disk is full: free/],
  ["it exited", "initdb: error: could not write: No space left on device", /the disk is full/],
  ["invalid reference format", "", /this is not the name of an image/],
  ["Log stream ended and message was not received", "hello", /does not run a Postgres/],
  [
    "(HTTP code 500) something new",
    "",
    /the engine or the server reported an error \(.*something new/,
  ],
])("advice for %s %s", (reason, log, message) => {
  expect(containerError(new Error(reason), "postgres:0", log)).toMatchObject({
    code: "PROVIDER_FAILED",
    message: expect.stringMatching(message),
  });
});

test("names the image, and quotes the end of its log", () => {
  const { message } = containerError(
    new Error("it exited"),
    "postgres:0",
    `${"x".repeat(5000)}end`,
  );
  expect(message).toMatch(/^Cannot start a container of postgres:0: .*Its log says: x+end\)$/);
  expect(message.length).toBeLessThan(2000);
});
