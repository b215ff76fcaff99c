import { expect, test } from "vitest";
import type { Execution } from "../core/execution.ts";
import { covers, Failures, groupOf, type NumberedFailure } from "./failures.ts";

const named = (...clients: readonly (readonly string[])[]) => ({
  initial: null,
  clients: clients.map((names) => names.map((name) => ({ name }))),
});

/** The part after a colon, such as of `lost:items,orders`, is what a violation is about. */
const rule = (text: string) => {
  const [name = "", about] = text.split(":");
  const given = { checker: "contract", name, message: "", evidence: [] };
  return about === undefined ? given : { ...given, about: about.split(",").filter(Boolean) };
};

let executions = 0;
function failure(
  clients: readonly (readonly string[])[],
  name: string,
  ofPair: boolean,
): NumberedFailure<null, { readonly name: string }> {
  executions++;
  return {
    execution: { scenario: named(...clients) } as unknown as Execution<
      null,
      { readonly name: string }
    >,
    violations: [rule(name)],
    executionNumber: executions,
    scenarioNumber: executions,
    ofPair,
  };
}

const operations = (failures: Failures<null, { readonly name: string }>) =>
  failures.all.map(({ execution, violations }) => [
    execution.scenario.clients.flat().map(({ name }) => name),
    [violations[0]?.name, violations[0]?.about].flat().filter(Boolean).join(" "),
  ]);

test("by rule, the first failure of each rule counts", () => {
  const failures = new Failures<null, { readonly name: string }>(false);
  expect(failures.any).toBe(false);
  failures.add(failure([["a"], ["b"]], "lost", true));
  failures.add(failure([["c"], ["d"]], "lost", true));
  failures.add(failure([["a"], ["b"]], "error", false));
  expect(failures.any).toBe(true);
  expect(operations(failures)).toEqual([
    [["a", "b"], "lost"],
    [["a", "b"], "error"],
  ]);
});

test("by operations, each finding of a pair counts once, so that none hides another", () => {
  const failures = new Failures<null, { readonly name: string }>(true);
  failures.add(failure([["a"], ["b"]], "lost:items", true));
  failures.add(failure([["b"], ["a"]], "error", true));
  failures.add(failure([["c"], ["c"]], "lost:items", true));
  failures.add(failure([["a"], ["b"]], "lost:orders", true));
  failures.add(failure([["a"], ["b"]], "lost:items", true));
  expect(operations(failures)).toEqual([
    [["a", "b"], "lost items"],
    [["b", "a"], "error"],
    [["c", "c"], "lost items"],
    [["a", "b"], "lost orders"],
  ]);
});

test("a finding that is about less takes the place of one that is about more", () => {
  const failures = new Failures<null, { readonly name: string }>(true);
  failures.add(failure([["a"], ["b"]], "lost:items,orders", true));
  failures.add(failure([["a"], ["b"]], "lost:orders", true));
  failures.add(failure([["a"], ["b"]], "lost:items,orders", true));
  expect(operations(failures)).toEqual([[["a", "b"], "lost orders"]]);
});

test("a generated scenario counts if no pair that fails is in it, also one that fails later", () => {
  const failures = new Failures<null, { readonly name: string }>(true);
  failures.add(
    failure(
      [
        ["a", "x"],
        ["y", "b"],
      ],
      "lost",
      false,
    ),
  );
  failures.add(failure([["c"], ["c"]], "lost", true));
  failures.add(failure([["a", "b"], ["y"]], "lost", false));
  failures.add(failure([["a"], ["b"]], "lost", true));
  // Both operations of the pair are those of one client.
  expect(operations(failures)).toEqual([
    [["c", "c"], "lost"],
    [["a", "b"], "lost"],
    [["a", "b", "y"], "lost"],
  ]);
});

test("a failure in which answers alone are wrong counts if no other one has its operations and rule", () => {
  const failures = new Failures<null, { readonly name: string }>(true);
  failures.add(failure([["a"], ["b"]], "lost:", true));
  expect(operations(failures)).toEqual([[["a", "b"], "lost"]]);
  failures.add(failure([["a"], ["b"]], "lost:items", true));
  failures.add(failure([["a"], ["b"]], "lost:", true));
  expect(operations(failures)).toEqual([[["a", "b"], "lost items"]]);
});

test("a failure in which answers alone are wrong counts where no table is wrong after the same interruption", () => {
  const failures = new Failures<null, { readonly name: string }>(true);
  const at = (name: string, ...interruptions: readonly string[]) =>
    failures.add({ ...failure([["a"], ["b"]], name, true), interruptions });
  at("lost:", "a: select stock");
  at("lost:items", "a: select price");
  at("lost:", "a: select count", "b: select count");
  at("lost:", "b: select count");
  at("lost:", "a: select name");
  expect(operations(failures)).toEqual([
    [["a", "b"], "lost"],
    [["a", "b"], "lost items"],
  ]);
  expect(failures.all[0]?.interruptions).toEqual(["a: select stock"]);
  // Found later, also with other arguments, and although the finding itself is known.
  at("lost:items", "a: select stock");
  expect(failures.all.map(({ interruptions }) => interruptions)).toEqual([
    ["a: select price"],
    ["a: select count", "b: select count"],
  ]);
  at("lost:items", "b: select count", "a: select name");
  expect(operations(failures)).toEqual([[["a", "b"], "lost items"]]);
});

test("a generated scenario counts if it is about something else than the pair that is in it", () => {
  const failures = new Failures<null, { readonly name: string }>(true);
  failures.add(failure([["a"], ["b"]], "lost:items", true));
  failures.add(failure([["a"], ["b"], ["c"]], "lost:items,orders", false));
  failures.add(failure([["a"], ["b"], ["d"]], "lost:orders", false));
  failures.add(failure([["a"], ["b"], ["e"]], "error", false));
  expect(operations(failures)).toEqual([
    [["a", "b"], "lost items"],
    [["a", "b", "d"], "lost orders"],
    [["a", "b", "e"], "error"],
  ]);
});

test("what is left of generated scenarios is grouped by its rule", () => {
  const failures = new Failures<null, { readonly name: string }>(true);
  failures.add(failure([["a"], ["b"], ["c"]], "lost", false));
  failures.add(failure([["a"], ["b"], ["d"]], "lost", false));
  failures.add(failure([["a"], ["d"]], "error", false));
  expect(operations(failures)).toEqual([
    [["a", "b", "c"], "lost"],
    [["a", "d"], "error"],
  ]);
});

test("a stored violation covers what the same operations show of its rule", () => {
  const stored = { scenario: named(["a"], ["b"]), violations: [rule("lost")] };
  const found = (name: string) => ({ scenario: named(["b"], ["a"]), violations: [rule(name)] });
  const isCovered = (name: string, byOperations: boolean) =>
    covers(groupOf(stored, byOperations), groupOf(found(name), byOperations));
  expect(isCovered("lost:items", true)).toBe(true);
  expect(isCovered("error", true)).toBe(false);
  const others = { scenario: named(["c"], ["c"]), violations: [rule("lost:items")] };
  expect(covers(groupOf(stored, true), groupOf(others, true))).toBe(false);
  expect(covers(groupOf(stored, false), groupOf(others, false))).toBe(true);
});

test("a pair that shows in answers alone is the same as a generated scenario with its operations", () => {
  const failures = new Failures<null, { readonly name: string }>(true);
  failures.add(failure([["pay"], ["pay"]], "lost:", true));
  failures.add(failure([["pay"], ["pay"], ["look"]], "lost:payments", false));
  failures.add(failure([["pay"], ["look"]], "lost:payments", false));
  expect(operations(failures)).toEqual([
    [["pay", "pay"], "lost"],
    [["pay", "look"], "lost payments"],
  ]);
});
