import fc from "fast-check";
import { expect, test } from "vitest";
import type { JsonObject } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import { shrinkArguments } from "./argument-shrinking.ts";

function plainerOf(given: JsonObject): readonly JsonObject[] {
  const scenario = { initial: 0, clients: [[{ name: "other" }], [{ name: "send", ...given }]] };
  return [...shrinkArguments(scenario)].map(({ initial, clients }) => {
    expect([initial, clients[0]]).toEqual([0, [{ name: "other" }]]);
    const { name, ...less } = clients[1]?.[0] as Operation;
    expect(name).toBe("send");
    return less;
  });
}

test("takes arguments away, and makes the others plainer", () => {
  expect(plainerOf({ to: 9, text: "Zoë!" })).toEqual([
    { text: "Zoë!" },
    { to: 9 },
    { to: 0, text: "Zoë!" },
    { to: 1, text: "Zoë!" },
    { to: 4, text: "Zoë!" },
    { to: 9, text: "" },
    { to: 9, text: "Zo" },
  ]);
  expect(plainerOf({})).toEqual([]);
});

test.each<[string, JsonObject[string], readonly JsonObject[string][]]>([
  ["numbers below zero", -3, [0, 3, 1]],
  ["fractions", 0.5, [0]],
  ["the least numbers", 1, [0]],
  ["nothing less than zero", 0, []],
  ["characters that are two units", "😀😀", ["", "😀"]],
  ["yes", true, [false]],
  ["no", false, []],
  ["null", null, []],
  ["lists", [1, "a"], [["a"], [1], [0, "a"], [1, ""]]],
  ["objects", { id: 1 }, [{}, { id: 0 }]],
])("knows what is less than %s", (_, value, less) => {
  expect(plainerOf({ value }).slice(1)).toEqual(less.map((it) => ({ value: it })));
});

test("comes to an end, whatever it begins with", () => {
  const short = { maxLength: 5 };
  const leaf = fc.oneof(fc.integer(), fc.double(), fc.string(short), fc.boolean());
  const argument = fc.oneof(leaf, fc.array(leaf, short), fc.dictionary(fc.string(), leaf));
  const operation = fc.record({ a: argument, b: argument });
  fc.assert(
    fc.property(operation, fc.nat(), (given, choice) => {
      let now = given as JsonObject;
      for (let left = 3_000; left > 0; left--) {
        const less = plainerOf(now);
        const next = less[choice % Math.max(1, less.length)];
        if (next === undefined) return;
        now = next;
      }
      throw new Error("no end");
    }),
    { seed: 1, numRuns: 20 },
  );
});
