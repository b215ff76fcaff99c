import { expect, test } from "vitest";
import type { Execution } from "../core/execution.ts";
import { Failures, groupOf, type NumberedFailure } from "./failures.ts";

const named = (...clients: readonly (readonly string[])[]) => ({
  initial: null,
  clients: clients.map((names) => names.map((name) => ({ name }))),
});

const rule = (name: string) => ({ checker: "contract", name, message: "", evidence: [] });

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
    violations[0]?.name,
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

test("by operations, each pair counts once, whatever rule it breaks, so that none hides another", () => {
  const failures = new Failures<null, { readonly name: string }>(true);
  failures.add(failure([["a"], ["b"]], "lost", true));
  failures.add(failure([["b"], ["a"]], "error", true));
  failures.add(failure([["c"], ["c"]], "lost", true));
  expect(operations(failures)).toEqual([
    [["a", "b"], "lost"],
    [["c", "c"], "lost"],
  ]);
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

test("a stored violation and a new one are in one group by the names of their operations", () => {
  const one = { scenario: named(["a"], ["b"]), violations: [rule("lost")] };
  const other = { scenario: named(["b"], ["a"]), violations: [rule("error")] };
  expect(groupOf(one, true)).toBe(groupOf(other, true));
  expect(groupOf(one, false)).not.toBe(groupOf(other, false));
});
