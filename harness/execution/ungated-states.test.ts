import { expect, test } from "vitest";
import type { TraceEvent } from "../core/trace.ts";
import { CATALOG_LOOKUPS } from "../instrumentation/ungated-parts.ts";
import { UngatedStates } from "./ungated-states.ts";

const PART = {
  name: "the part",
  ofSchema: false,
  follows: (place: number | undefined, sql: string) => place === 7 && sql === "insert",
};
const OF_SCHEMA = { ...PART, name: "of the schema", ofSchema: true, follows: () => false };

/** Statements that stand at gates, by task. */
function standing(gates: { readonly [task: string]: number }, sql = "insert") {
  const statements = Object.entries(gates).map(([task, place]) => ({
    ...{ task, statement: { sql, values: [] } },
    state: { at: "gate", gate: { place, open: () => {} }, lostBy: undefined },
  }));
  return { all: () => statements } as unknown as Parameters<UngatedStates["note"]>[1];
}

const statement = (task: string, sql: string): TraceEvent => ({
  type: "statement",
  ...{ task, statement: { sql, values: [] } },
});

test("a state counts in which several clients stand before the part, each time that they have seen other things", () => {
  const states = new UngatedStates();
  const note = (gates: { [task: string]: number }, trace: TraceEvent[] = [], sql?: string) =>
    states.note([PART], standing(gates, sql), ["0", "1"], trace);
  note({ 0: 7, 1: 8 });
  note({ 0: 7, "0.1": 7 });
  note({ 0: 7, 1: 7 }, [], "select");
  expect(states.namesOf([PART, OF_SCHEMA])).toEqual(["of the schema"]);
  note({ 0: 7, 1: 7 }, [statement("0", "a"), statement("1", "b")]);
  note({ 0: 7, 1: 7 }, [statement("1", "b"), statement("0", "a")]);
  note({ 0: 7, 1: 7 }, [statement("0", "a")]);
  const state = { part: "the part", entries: ["0", "1"], tasks: ["0", "1"] };
  expect(states.take()).toEqual([state, state]);
  expect(states.take()).toEqual([]);
  expect(states.namesOf([PART, OF_SCHEMA])).toEqual(["the part", "of the schema"]);
});

test("a part that samples cannot show has its name alone", () => {
  const states = new UngatedStates();
  const part = { ...PART, name: CATALOG_LOOKUPS.name };
  states.note([part], standing({ 0: 7, 1: 7 }), ["0", "1"], []);
  expect(states.take()).toEqual([]);
  expect(states.namesOf([part])).toEqual([part.name]);
});

test("twenty states are kept at most", () => {
  const states = new UngatedStates();
  for (let number = 0; number < 30; number++) {
    states.note([PART], standing({ 0: 7, 1: 7 }), [], [statement("0", String(number))]);
  }
  // That clients met at another part is still known.
  const other = { ...PART, name: "another part" };
  states.note([PART, other], standing({ 0: 7, 1: 7 }), [], []);
  expect(states.namesOf([other])).toEqual(["another part"]);
  expect(states.take()).toHaveLength(20);
});

test("moments that no step decides are named once, after the parts", () => {
  const states = new UngatedStates();
  states.noteMoment("the moment");
  states.noteMoment("the moment");
  expect(states.namesOf([OF_SCHEMA])).toEqual(["of the schema", "the moment"]);
});
