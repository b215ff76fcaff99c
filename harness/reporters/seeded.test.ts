import { describe, expect, test } from "vitest";
import { seededBugsHtml } from "./html/seeded.ts";
import { recordJson } from "./records.ts";
import { caught, seeded, survived } from "./sample-seeded.fixture.ts";
import { seededBugRecord } from "./seeded-record.ts";
import { onlyBy } from "./seeded-rows.ts";
import { seededBugsText } from "./seeded-text.ts";

const report = seededBugRecord(seeded, "out");

describe("the table of seeded bugs", () => {
  const text = seededBugsText(report, false);

  test("has a line for each, with what the checker needed that must find it", () => {
    expect(text).toMatch(/^no-lock +caught +invariant +1,200 +4\.5 s +2 +2 +2 +0 +20\/20$/m);
    expect(text).toMatch(/^no-check +survived +invariant +1,200 +4\.5 s$/m);
    expect(text).toMatch(/^no-index +untold /m);
  });

  test("says why something is equivalent, and sums up", () => {
    expect(text).toContain("no-index is equivalent: The lock is enough.");
    expect(text).toContain(
      "The service without a bug, gates statement: pass, 9 executions in 0.1 s",
    );
    expect(text).toContain(
      "1 of 2 seeded bugs caught; 1 of 1 counterexamples replay exactly; 1 of 1 equivalent ones left alone; the service without a bug: no alarm; 12 s.",
    );
  });

  test("says who finds what alone, if all checkers were asked", () => {
    expect(text).not.toContain("checker alone");
    const [first] = caught.checkers;
    const alone = { ...caught, name: "alone", checkers: first === undefined ? [] : [first] };
    const agreement = { checker: "agreement", executions: 1, elapsedMs: 1 };
    const logic = { ...alone, name: "logic", checkers: [...alone.checkers, agreement] };
    const results = [caught, alone, logic, survived];
    const all = seededBugRecord({ ...seeded, allCheckers: true, results }, "out");
    expect(onlyBy(all, "contract")).toEqual(["alone", "logic"]);
    expect(onlyBy(all, "invariant")).toEqual([]);
    const told = seededBugsText(all, false);
    expect(told).toMatch(/^no-lock +3 +1,200$/m);
    expect(told).toContain("Found by contract alone: alone, logic.");
    expect(told).toContain("Found by invariant alone: none.");
    expect(told).not.toContain("Found by agreement");
  });
});

test("the page escapes what it is given, and names the replay", () => {
  const page = seededBugsHtml(report);
  expect(page).toContain("It was &#60;slow&#62;.");
  expect(page).toContain("npx heddle replay out/counterexamples/booking-");
});

test("the JSON has the path of a counterexample instead of its trace", () => {
  const { results, version } = JSON.parse(recordJson(report));
  expect(version).toBe(2);
  expect(results[0].counterexample).toMatchObject({ operations: 2, clients: 2, preemptions: 2 });
  expect(results[0].counterexample.file).toMatch(/^out\/counterexamples\/booking-/);
  expect(results[1].counterexample).toBeNull();
});
