import { describe, expect, test } from "vitest";
import { DynamicReduction } from "../scheduler/dynamic-reduction.ts";
import { Exhaustive } from "../scheduler/exhaustive.ts";
import { FaultSearch } from "../scheduler/fault-search.ts";
import { walk } from "../scheduler/toy.fixture.ts";
import { completeness, coverageOf, divergenceOf } from "./coverage.ts";

describe.each([
  ["with reduction", () => new DynamicReduction()],
  ["of all schedules", () => new Exhaustive()],
  ["with faults", () => new FaultSearch(["cancel"])],
])("a search %s", (_, make) => {
  test("that came to its end is complete, and no sample", () => {
    const search = make();
    while (search.begin()) walk([[2], [2]], search);
    expect(completeness(search)).toMatchObject({ complete: true });
    expect(completeness(search).sampled).toBeUndefined();
    expect(divergenceOf(search)).toBeUndefined();
  });

  test("in which executions of the same steps differed is a sample, and not begun anew", () => {
    const search = make();
    let executions = 0;
    // After the first execution, client 1 has nothing to do.
    while (search.begin()) walk(executions++ === 0 ? [[2], [2]] : [[2]], search);
    expect(completeness(search)).toMatchObject({ complete: false, sampled: true });
    expect(divergenceOf(search)).toMatch(/^at step \d+ task 1/);
  });
});

test("a search whose last fault was not possible any more covers no faults, and is not begun anew", () => {
  const search = new FaultSearch(["cancel"]);
  for (const faults of [[{ task: "0", action: "cancel" }], []] as const) {
    search.begin();
    search.inject(faults);
    walk([[1]], search);
  }
  expect(search.begin()).toBe(false);
  expect(completeness(search)).toMatchObject({ complete: false, sampled: true });
  expect(divergenceOf(search)).toMatch(/^at step 0 cancel was possible/);
  expect(coverageOf(search, 1).faults).toEqual({ scenarios: 0, injected: 0 });
});
