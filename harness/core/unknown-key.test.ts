import { expect, test } from "vitest";
import { unknownKey } from "./unknown-key.ts";

test("known keys are accepted", () => {
  expect(unknownKey({}, ["setup"])).toBeUndefined();
  expect(unknownKey({ setup: "" }, ["setup", "clients"])).toBeUndefined();
});

test.each([
  ["invariant", " (did you mean `invariants`?)"],
  ["Invariants", " (did you mean `invariants`?)"],
  ["sets", " (did you mean `setup`?)"],
  ["checks", ""],
])("the unknown key %s is named, with the one that is meant", (key, question) => {
  expect(unknownKey({ setup: "", [key]: {} }, ["setup", "invariants"])).toBe(
    `\`${key}\` is unknown${question}; known: \`setup\`, \`invariants\``,
  );
});
