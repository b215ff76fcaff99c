import { expect, test } from "vitest";
import type { Execution } from "../core/execution.ts";
import type { TraceEvent } from "../core/trace.ts";
import { RoutineCoverage } from "./routine-coverage.ts";

const scenario = (name: string) => ({ initial: null, clients: [[{ name }]] });

async function seen(
  coverage: RoutineCoverage,
  name: string,
  routines: readonly string[],
): Promise<void> {
  const trace = routines.map(
    (of): TraceEvent => ({ type: "gate", task: "0", place: { of, line: 1, next: "" } }),
  );
  const execution: Partial<Execution> = { scenario: scenario(name), trace };
  const again = () => Promise.reject(new Error("nothing is executed"));
  await coverage.recorder().check(execution as Execution, again);
}

test("a routine's change matters where it ran, in any execution, or may have run", async () => {
  const coverage = new RoutineCoverage();
  await seen(coverage, "one", []);
  await seen(coverage, "one", ["a()"]);
  await seen(coverage, "two", ["b()"]);
  expect(coverage.matters("a()", scenario("one"))).toBe(true);
  expect(coverage.matters("a()", scenario("two"))).toBe(false);
  expect(coverage.matters("b()", scenario("one"))).toBe(false);
  // Not gated, no routine at all, and a scenario that was not executed.
  expect(coverage.matters("c()", scenario("one"))).toBe(true);
  expect(coverage.matters(null, scenario("one"))).toBe(true);
  expect(coverage.matters("a()", scenario("three"))).toBe(true);
});
