import { describe, expect, test } from "vitest";
import { plantedHtml } from "./html-planted.ts";
import { plantedRecord } from "./planted-record.ts";
import { onlyBy } from "./planted-rows.ts";
import { plantedText } from "./planted-text.ts";
import { recordJson } from "./records.ts";
import { caught, planted, survived } from "./sample-planted.fixture.ts";

const report = plantedRecord(planted, "out");

describe("the table of planted bugs", () => {
  const text = plantedText(report, false);

  test("has a line for each, with what the judge needed that must find it", () => {
    expect(text).toMatch(/^no-lock +caught +invariant +1,200 +4\.5 s +2 +2 +2 +0 +20\/20$/m);
    expect(text).toMatch(/^no-check +survived +invariant +1,200 +4\.5 s$/m);
    expect(text).toMatch(/^no-index +untold /m);
  });

  test("says why something is equivalent, and sums up", () => {
    expect(text).toContain("no-index is equivalent: The lock is enough.");
    expect(text).toContain("The service as shipped, gates statement: pass, 9 executions in 0.1 s");
    expect(text).toContain(
      "1 of 2 planted bugs caught; 1 of 1 counterexamples replay exactly; 1 of 1 equivalent ones left alone; the service as shipped: no alarm; 12 s.",
    );
  });

  test("says who finds what alone, if all judges were asked", () => {
    expect(text).not.toContain("judge alone");
    const [first] = caught.judges;
    const alone = { ...caught, name: "alone", judges: first === undefined ? [] : [first] };
    const agreement = { judge: "agreement", executions: 1, elapsedMs: 1 };
    const logic = { ...alone, name: "logic", judges: [...alone.judges, agreement] };
    const results = [caught, alone, logic, survived];
    const all = plantedRecord({ ...planted, allJudges: true, results }, "out");
    expect(onlyBy(all, "contract")).toEqual(["alone", "logic"]);
    expect(onlyBy(all, "invariant")).toEqual([]);
    const told = plantedText(all, false);
    expect(told).toMatch(/^no-lock +3 +1,200$/m);
    expect(told).toContain("Found by contract alone: alone, logic.");
    expect(told).toContain("Found by invariant alone: none.");
    expect(told).not.toContain("Found by agreement");
  });
});

test("the page escapes what it is given, and names the replay", () => {
  const page = plantedHtml(report);
  expect(page).toContain("It was &#60;slow&#62;.");
  expect(page).toContain("npx heddle replay out/counterexamples/booking-");
});

test("the JSON has the path of a counterexample instead of its trace", () => {
  const { results, version } = JSON.parse(recordJson(report));
  expect(version).toBe(2);
  expect(results[0].counterexample).toMatchObject({ commands: 2, clients: 2, preemptions: 2 });
  expect(results[0].counterexample.file).toMatch(/^out\/counterexamples\/booking-/);
  expect(results[1].counterexample).toBeNull();
});
