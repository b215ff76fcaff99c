import { describe, expect, test } from "vitest";
import { Alarm } from "./alarm.ts";

const LONG_MS = 60_000;

/** Sets alarms, each by the name that it notes, and resolves with the names once "end" goes off. */
function rung(set: (alarm: Alarm, note: (name: string) => () => void) => void): Promise<string[]> {
  return new Promise((resolve) => {
    const names: string[] = [];
    set(new Alarm(), (name) => () => {
      names.push(name);
      if (name === "end") resolve(names);
    });
  });
}

describe("an alarm", () => {
  test("goes off once", async () => {
    const names = await rung((alarm, note) => alarm.set(1, note("end")));
    expect(names).toEqual(["end"]);
  });

  test("goes off after a short time although it was set to a long one before", async () => {
    const names = await rung((alarm, note) => {
      alarm.set(LONG_MS, note("long"));
      alarm.set(1, note("end"));
    });
    expect(names).toEqual(["end"]);
  });

  test("goes off after a longer time than it was set to before", async () => {
    const names = await rung((alarm, note) => {
      alarm.set(1, note("short"));
      alarm.set(20, note("end"));
    });
    expect(names).toEqual(["end"]);
  });

  test("does not go off once it is unset, and can be set again", async () => {
    const names = await rung((alarm, note) => {
      alarm.set(1, note("unset"));
      alarm.unset();
      setTimeout(() => alarm.set(1, note("end")), 10);
    });
    expect(names).toEqual(["end"]);
  });

  test("can be set by what it calls", async () => {
    const names = await rung((alarm, note) =>
      alarm.set(1, () => {
        note("first")();
        alarm.set(1, note("end"));
      }),
    );
    expect(names).toEqual(["first", "end"]);
  });
});
