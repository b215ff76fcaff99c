import { expect, test } from "vitest";
import type { Attack } from "../service/attack.ts";
import { attackOf } from "./attack.ts";

const attack = (name: string) => ({ name }) as Attack;

test.each([
  [["one"], undefined, "one"],
  [["one"], "one", "one"],
  [["one", "two"], "two", "two"],
])("of the attacks %j, %s is %s", (names, name, found) => {
  expect(attackOf({ name: "shop", attacks: names.map(attack) }, name).name).toBe(found);
});

test.each([
  [["one", "two"], undefined, "name the attack; shop has: one, two"],
  [["one", "two"], "three", 'there is no attack "three"; shop has: one, two'],
  [[], undefined, 'the service "shop" has no attacks'],
])("of the attacks %j, %s is refused", (names, name, message) => {
  expect(() => attackOf({ name: "shop", attacks: names.map(attack) }, name)).toThrow(message);
});
