import fc from "fast-check";
import { expect, test } from "vitest";
import { prettyJson } from "./json.ts";

test("says the same as JSON.stringify", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.integer({ min: 0, max: 60 }), (value, width) => {
      expect(JSON.stringify(JSON.parse(prettyJson(value, width)))).toBe(JSON.stringify(value));
    }),
  );
});

test("keeps on one line what fits, and breaks the rest", () => {
  expect(prettyJson({ a: [1, 2], b: { c: "dddddddd" }, e: [], f: {} }, 20)).toBe(
    '{\n  "a": [1, 2],\n  "b": {\n    "c": "dddddddd"\n  },\n  "e": [],\n  "f": {}\n}',
  );
  expect(prettyJson({ aLongKey: [1, 22, 333] }, 20)).toBe(
    '{\n  "aLongKey": [\n    1,\n    22,\n    333\n  ]\n}',
  );
  expect(prettyJson({ a: [1, 2] }, 20)).toBe('{ "a": [1, 2] }');
});
