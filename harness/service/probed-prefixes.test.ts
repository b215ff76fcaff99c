import { expect, test } from "vitest";
import type { DefinedOperation } from "./operation-definition.ts";
import { ProbedPrefixes } from "./probed-prefixes.ts";
import type { SerialProbe } from "./serial-probe.ts";

const make = (what: string): DefinedOperation => ({ name: `make ${what}` });
const LOOK: DefinedOperation = { name: "look" };

/** An operation succeeds once all that it needs was made. */
function probed(needs: { readonly [name: string]: readonly string[] }, makes: readonly string[]) {
  let reached: readonly DefinedOperation[] = [];
  let count = 0;
  const probe = {
    async reach(prefix: readonly DefinedOperation[]) {
      [reached, count] = [prefix, count + 1];
      return new Map();
    },
    async perform({ name }: DefinedOperation) {
      const made = new Set(reached.map((one) => one.name));
      const isOk = (needs[name] ?? []).every((one) => made.has(one));
      return { outcome: isOk ? "ok" : "fail", code: "", body: null } as const;
    },
  };
  const makers = makes.map((what) => [what, [{ prefix: [], operation: make(what) }]] as const);
  return {
    prefixes: new ProbedPrefixes(probe as unknown as SerialProbe, new Map(makers)),
    reaches: () => count,
  };
}

test("a prefix is shortened to what is needed, in few attempts", async () => {
  const { prefixes, reaches } = probed({ look: ["make b", "make y"] }, ["a", "b", "y", "z"]);
  const others = Array.from({ length: 30 }, (_, at) => ({ name: `other ${at}` }));
  const prefix = [make("a"), ...others, make("b"), make("y"), ...others, make("z")];
  const shortest = await prefixes.shortened({ prefix, operation: LOOK });
  expect(shortest).toEqual([make("b"), make("y")]);
  expect(reaches()).toBeLessThan(20);
});

test("what makes no row stays in a prefix if it is needed", async () => {
  const { prefixes } = probed({ look: ["open", "make b"] }, ["a", "b"]);
  const prefix = [make("a"), { name: "open" }, { name: "other" }, make("b")];
  const shortest = await prefixes.shortened({ prefix, operation: LOOK });
  expect(shortest).toEqual([{ name: "open" }, make("b")]);
});

test("a prefix is reached once for its rows and the first operation after it", async () => {
  const { prefixes, reaches } = probed({}, []);
  expect(await prefixes.succeeds([make("a")], LOOK)).toBe(true);
  expect(reaches()).toBe(1);
  expect(await prefixes.succeeds([make("a")], LOOK)).toBe(true);
  expect(reaches()).toBe(1);
  expect(await prefixes.succeeds([make("a")], make("b"))).toBe(true);
  expect(reaches()).toBe(2);
});
