import fc from "fast-check";
import { expect, test } from "vitest";
import { prettyJson } from "./json.ts";

test("the text parses to the same value as JSON.stringify's", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.integer({ min: 0, max: 60 }), (value, width) => {
      expect(JSON.stringify(JSON.parse(prettyJson(value, width)))).toBe(JSON.stringify(value));
    }),
  );
});

test("a value that fits stays on one line, any other is broken", () => {
  expect(prettyJson({ a: [1, 2], b: { c: "dddddddd" }, e: [], f: {} }, 20)).toBe(
    '{\n  "a": [1, 2],\n  "b": {\n    "c": "dddddddd"\n  },\n  "e": [],\n  "f": {}\n}',
  );
  expect(prettyJson({ aLongKey: [1, 22, 333] }, 20)).toBe(
    '{\n  "aLongKey": [\n    1,\n    22,\n    333\n  ]\n}',
  );
  expect(prettyJson({ a: [1, 2] }, 20)).toBe('{ "a": [1, 2] }');
});
