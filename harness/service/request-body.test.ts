import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Json, JsonObject } from "../core/json.ts";
import { outcomeOfRequest } from "./http-service.ts";
import { bodyTypeOf, decodedBody } from "./request-body.ts";
import type { BodyType } from "./scenario-definition.ts";

/** Answers with the media type and the text of what it gets. */
const mirror = createServer((request, response) => {
  void request
    .setEncoding("utf8")
    .toArray()
    .then((parts) => {
      const type = request.headers["content-type"] ?? "";
      response.end(JSON.stringify({ type, text: parts.join("") }));
    });
});
let url = "";

beforeAll(async () => {
  mirror.listen(0, "127.0.0.1");
  await once(mirror, "listening");
  url = `http://127.0.0.1:${(mirror.address() as AddressInfo).port}`;
});

afterAll(() => void mirror.close());

async function received(type: BodyType, body: Json, headers: { [name: string]: string } = {}) {
  const http = { path: "/", body, type, headers };
  const outcome = await outcomeOfRequest({ http }, url, AbortSignal.timeout(5_000));
  if (!("value" in outcome)) throw new Error(outcome.error);
  return outcome.value as { readonly type: string; readonly text: string };
}

const texts = fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 5 });
const fields = fc.dictionary(
  fc.stringMatching(/^[a-z]{1,4}$/),
  fc.oneof(texts, fc.array(texts, { minLength: 2, maxLength: 3 })),
  { minKeys: 1, maxKeys: 3 },
);

describe("a body arrives as it was sent", () => {
  test.each(["json", "form", "multipart"] as const)("as %s", async (type) => {
    await fc.assert(
      fc.asyncProperty(fields, async (sent) => {
        const got = await received(type, sent as JsonObject);
        expect(bodyTypeOf(got.type)).toBe(type);
        expect(decodedBody(got.type, got.text)).toEqual(sent);
      }),
      { seed: 1, numRuns: 30 },
    );
  });

  test("as text, of the type that a header gives", async () => {
    expect(await received("text", "a,b")).toEqual({ type: "text/plain", text: "a,b" });
    const csv = await received("text", "a,b", { "Content-Type": "text/csv" });
    expect(csv).toEqual({ type: "text/csv", text: "a,b" });
  });

  test("a field of a form without a value is left out, and one with members is JSON", async () => {
    const { text } = await received("form", { a: null, b: [1, 2], c: { d: true } });
    expect(text).toBe(`b=1&b=2&c=${encodeURIComponent('{"d":true}')}`);
  });

  test("a file is a part of its own", async () => {
    const file = { filename: "a.csv", content: "x,y\r\n\r\n1,2" };
    const { type, text } = await received("multipart", { kind: "csv", file });
    expect(text).toContain('name="file"; filename="a.csv"');
    expect(decodedBody(type, text)).toEqual({ kind: "csv", file });
  });
});

test.each([
  ["application/vnd.api+json; charset=utf-8", "json"],
  ["Application/X-WWW-Form-Urlencoded", "form"],
  ["multipart/form-data; boundary=x", "multipart"],
  ["application/xml", "text"],
  ["application/octet-stream", undefined],
])("a body of type %s is sent as %s", (mediaType, type) => {
  expect(bodyTypeOf(mediaType)).toBe(type);
});

test.each([
  ["application/json", "{"],
  ["application/octet-stream", "x"],
  ["multipart/form-data", "no boundary"],
  ["multipart/form-data; boundary=x", "--x\r\n\r\n\uFFFD\r\n--x--"],
])("a body of type %s that cannot be read is none: %j", (mediaType, text) => {
  expect(decodedBody(mediaType, text)).toBeUndefined();
});
