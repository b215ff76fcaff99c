import { describe, expect, test } from "vitest";
import { seededBugsHtml } from "./html/seeded-bugs.ts";
import { jsonText } from "./json.ts";
import { caught, seeded, survived } from "./sample-records.fixture.ts";
import { bugsByOnlyChecker, seededBugRecord, seededBugsText } from "./seeded-bugs.ts";

const report = seededBugRecord(seeded, "out");

describe("the table of seeded bugs", () => {
  const text = seededBugsText(report, false);

  test("has a line for each bug, with the finding of its checker", () => {
    expect(text).toMatch(/^no-lock +caught +invariant +1,200 +4\.5 s +2 +2 +2 +0 +20\/20$/m);
    expect(text).toMatch(/^no-check +survived +invariant +1,200 +4\.5 s$/m);
    expect(text).toMatch(/^no-index +equivalent /m);
  });

  test("is followed by remarks, the baseline, and the totals", () => {
    expect(text).toContain("no-index is equivalent: The lock is enough.");
    expect(text).toContain(
      "The service without a bug, gates statement: pass, 9 executions in 0.1 s",
    );
    expect(text).toContain(
      "1 of 2 seeded bugs caught; 1 of 1 counterexamples replay exactly; no violation in 1 of 1 equivalent bugs; the service without a bug: no violation; 12 s.",
    );
  });

  test("shows what each checker finds alone, if every search ran to the end of its budget", () => {
    expect(text).not.toContain("Executions until found by");
    const [first] = caught.checkers;
    const alone = { ...caught, name: "alone", checkers: first === undefined ? [] : [first] };
    const agreement = { checker: "agreement", executions: 1, elapsedMs: 1 };
    const logic = { ...alone, name: "logic", checkers: [...alone.checkers, agreement] };
    const results = [caught, alone, logic, survived];
    const all = seededBugRecord({ ...seeded, allCheckers: true, results }, "out");
    expect(bugsByOnlyChecker(all)).toEqual([
      { checker: "contract", bugs: ["alone", "logic"] },
      { checker: "invariant", bugs: [] },
    ]);
    const table = seededBugsText(all, false);
    expect(table).toMatch(/^no-lock +3 +1,200$/m);
    expect(table).toContain("Found by contract only: alone, logic.");
    expect(table).toContain("Found by invariant only: none.");
    expect(table).not.toContain("Found by agreement");
  });
});

test("the page escapes texts, and shows the replay command", () => {
  const page = seededBugsHtml(report);
  expect(page).toContain("It was &#60;slow&#62;.");
  expect(page).toContain("npx heddle replay out/counterexamples/booking-");
});

test("the record has the path of a counterexample instead of its trace", () => {
  const { results, version } = JSON.parse(jsonText(report));
  expect(version).toBe(3);
  expect(results[0].counterexample).toMatchObject({ operations: 2, clients: 2, preemptions: 2 });
  expect(results[0].counterexample.file).toMatch(/^out\/counterexamples\/booking-/);
  expect(results[1].counterexample).toBeNull();
});
