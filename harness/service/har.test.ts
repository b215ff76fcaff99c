import { expect, test } from "vitest";
import { harText, parseHar, type RecordedRequest } from "./har.ts";

const request: RecordedRequest = {
  startedAt: "2030-01-01T00:00:01.000Z",
  method: "POST",
  url: "http://localhost:3000/orders?full=yes",
  headers: { "content-type": "application/json" },
  body: '{"item":1}',
  status: 201,
  type: "application/json",
  answer: '{"id":1}',
};

test("an archive has what was recorded, in the order of the beginning", () => {
  const earlier = { ...request, startedAt: "2030-01-01T00:00:00.000Z", body: undefined };
  expect(parseHar(harText([request, earlier], "1.0"), "a.har")).toEqual([earlier, request]);
});

test("an archive of a browser has names of headers in any case, packed answers and cancelled requests", () => {
  const entry = {
    startedDateTime: "2030-01-01T00:00:00.000Z",
    request: {
      method: "get",
      url: "https://a.example/b",
      headers: [{ name: "If-Match", value: "1" }],
    },
    response: {
      status: 200,
      content: { mimeType: "application/json", text: btoa("[1]"), encoding: "base64" },
    },
  };
  const cancelled = { ...entry, response: { status: 0, content: {} } };
  const text = JSON.stringify({ log: { entries: [entry, cancelled, {}] } });
  expect(parseHar(text, "a.har")).toMatchObject([
    { method: "GET", headers: { "if-match": "1" }, body: undefined, answer: "[1]" },
  ]);
});

test("the fields of a form may be there without the text that was sent", () => {
  const postData = {
    mimeType: "application/x-www-form-urlencoded",
    params: [{ name: "a", value: "1 2" }, { name: "b" }, {}],
  };
  const entry = {
    request: { method: "POST", url: "https://a.example/b", headers: [], postData },
    response: { status: 200, content: {} },
  };
  const [request] = parseHar(JSON.stringify({ log: { entries: [entry] } }), "a.har");
  expect(request).toMatchObject({
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: "a=1+2&b=",
  });
});

test.each(["", "{}", '{"log":{}}', "[]"])("the text %j is no archive", (text) => {
  expect(() => parseHar(text, "a.har")).toThrow("a.har is not an HTTP archive");
});
