import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Footprint, NOTHING } from "../core/footprint.ts";
import type { Choice, Task } from "../core/schedule.ts";
import type { Result, Statement } from "../core/trace.ts";
import { FakeSession } from "../proxy/pending-statement.fixture.ts";
import type { PendingStatement } from "../proxy/pending-statement.ts";
import { DynamicReduction } from "../scheduler/dynamic-reduction.ts";
import { Exhaustive } from "../scheduler/exhaustive.ts";
import { Polling, withoutYielded } from "./polling.ts";

/**
 * For each client, what it does: `read x`; `write x 1`; `add x`; `poll x 1 4`, which reads x until it is 1, at
 * most four times; `tick x 1 4`, which also reads y each time; `lock l`, which waits for the lock, adds to y and
 * unlocks; `try l 3`, which does that if it gets the lock within three looks.
 */
type Toy = readonly (readonly string[])[];

const NAMES = ["x", "y"];

function footprint({ sql }: Statement): Footprint {
  const [verb, object = ""] = sql.split(" ");
  const touched = new Set([object]);
  const writes = verb !== "read";
  return {
    step: writes ? { ...NOTHING, reads: touched, writes: touched } : { ...NOTHING, reads: touched },
    ...{ held: NOTHING, keeps: false, ends: writes, snapshot: false, tracked: false, clock: false },
  };
}

function* client(steps: readonly string[]): Generator<string, void, number> {
  for (const step of steps) {
    const [verb, object, value, most] = step.split(" ");
    if (verb === "try") {
      let got = 0;
      for (let looks = 0; looks < Number(value) && got === 0; looks++) got = yield `try ${object}`;
      if (got === 1) {
        yield "add y";
        yield `unlock ${object}`;
      }
    } else if (verb === "lock") {
      yield step;
      yield "add y";
      yield `unlock ${object}`;
    } else if (verb !== "poll" && verb !== "tick") yield step;
    else {
      for (let looks = 0; looks < Number(most); looks++) {
        if ((yield `read ${object}`) === Number(value)) break;
        if (verb === "tick") yield "read y";
      }
    }
  }
}

interface Search {
  choose: Exhaustive["choose"] | DynamicReduction["choose"];
  observe?: DynamicReduction["observe"];
}

/** One execution; the answers of each client and the final state. */
function outcomeOf(toy: Toy, search: Search): string {
  const store = new Map(NAMES.map((name) => [name, 0]));
  const polling = new Polling();
  const running = toy.map((steps, number) => {
    const session = new FakeSession(number + 1);
    const program = client(steps);
    const hold = (sql: string): PendingStatement => {
      const pending = session.hold({ sql, values: [] });
      pending.assignTo(String(number));
      return pending;
    };
    const { value } = program.next(0);
    return { program, hold, held: value === undefined ? undefined : hold(value), answers: "" };
  });
  let previous: Task | undefined;
  /** The holder of the lock, then those that wait for it. */
  const queue: Task[] = [];
  const completes = (task: Task, answer: number) => {
    const own = running[Number(task)];
    if (own?.held === undefined) throw new Error("no client");
    const [verb] = own.held.statement.sql.split(" ");
    const result: Result = {
      tags: [verb === "read" || verb === "try" ? "SELECT 1" : "UPDATE 1"],
      transaction: "idle",
    };
    polling.completed(own.held, result, String(answer));
    own.answers += `${verb}=${answer} `;
    const next = own.program.next(answer);
    own.held = next.done || next.value === undefined ? undefined : own.hold(next.value);
  };
  for (;;) {
    const enabled = running.flatMap(({ held }): Choice[] =>
      held === undefined || queue.slice(1).includes(held.task)
        ? []
        : [{ task: held.task, action: "release" }],
    );
    if (enabled.length === 0) break;
    const heldBy = (task: Task) => running[Number(task)]?.held as PendingStatement;
    const fair = withoutYielded(enabled, (task) => polling.hasYielded(heldBy(task)));
    const yielded = enabled.filter((choice) => !fair.includes(choice));
    const { task } = search.choose(
      fair,
      previous,
      ({ task: other }) =>
        polling.mayRepeat(heldBy(other)) ? undefined : footprint(heldBy(other).statement),
      yielded.map(({ task: other }) => other),
    );
    const pending = heldBy(task);
    const [verb = "", object = "", value] = pending.statement.sql.split(" ");
    polling.moved(task, pending);
    if (verb === "write") store.set(object, Number(value));
    if (verb === "add") store.set(object, (store.get(object) ?? 0) + 1);
    let answer = store.get(object) ?? 0;
    if (verb === "lock") queue.push(task);
    if (verb === "try") {
      answer = queue.length === 0 ? 1 : 0;
      if (answer === 1) queue.push(task);
    }
    if (verb !== "lock" || queue[0] === task) completes(task, answer);
    if (verb === "unlock") {
      queue.shift();
      const [woken] = queue;
      if (woken !== undefined) completes(woken, 0);
    }
    previous = task;
    search.observe?.([], NOTHING);
  }
  return JSON.stringify([running.map(({ answers }) => answers), [...store]]);
}

function explored(toy: Toy, search: Exhaustive | DynamicReduction) {
  const outcomes = new Set<string>();
  let executions = 0;
  const redundant = () => ("redundant" in search ? search.redundant : 0);
  for (let before = 0; search.begin(); before = redundant(), executions++) {
    const outcome = outcomeOf(toy, search);
    if (redundant() === before) outcomes.add(outcome);
  }
  expect(search.diverged).toBeUndefined();
  return { outcomes: [...outcomes].sort(), executions };
}

const step = fc
  .oneof(
    fc.tuple(fc.constantFrom("read", "add"), fc.constantFrom(...NAMES)),
    fc.tuple(fc.constant("write"), fc.constantFrom(...NAMES), fc.constantFrom("1", "2")),
    fc.tuple(
      fc.constantFrom("poll", "tick"),
      fc.constantFrom(...NAMES),
      fc.constantFrom("1", "2"),
      fc.constantFrom("2", "3", "4", "5"),
    ),
    fc.constantFrom(["lock", "l"], ["try", "l", "3"], ["try", "l", "4"]),
  )
  .map((words) => words.join(" "));

/** The most statements of a step. */
function lengthOf(text: string): number {
  const [verb = "", , value, most] = text.split(" ");
  if (verb === "try") return Number(value) + 2;
  if (verb === "lock") return 3;
  return Number(most ?? 1) * (verb === "tick" ? 2 : 1);
}

function expectEachOutcome(toy: Toy): void {
  const full = explored(toy, new Exhaustive());
  const reduced = explored(toy, new DynamicReduction());
  expect(reduced.outcomes).toEqual(full.outcomes);
  expect(reduced.executions).toBeLessThanOrEqual(full.executions);
}

describe("reduction finds each outcome of the fair schedules", () => {
  test.each<[string, Toy]>([
    [
      "either of two clients lets one that polls go on",
      [["poll x 1 3", "write y 1"], ["read y"], ["read x"]],
    ],
    [
      "a client that has not yielded keeps one that has from moving",
      [
        ["poll x 1 4", "write x 1"],
        ["poll x 1 3", "write x 1", "read x"],
      ],
    ],
    [
      "a round has two statements",
      [
        ["tick y 1 2", "write x 1"],
        ["poll x 1 3", "add y"],
      ],
    ],
    [
      "two clients poll for what nobody does",
      [
        ["poll y 1 3", "add x"],
        ["read y", "tick x 1 3", "add x"],
      ],
    ],
    ["a lock is tried", [["lock l", "read x"], ["try l 4"], ["add x"]]],
  ])("where %s", (_, toy) => {
    expectEachOutcome(toy);
  });

  test("of generated clients", () => {
    const clients = fc.array(fc.array(step, { minLength: 1, maxLength: 3 }), {
      minLength: 2,
      maxLength: 3,
    });
    fc.assert(
      fc.property(clients, (toy) => {
        const length = toy.flat().reduce((sum, text) => sum + lengthOf(text), 0);
        fc.pre(length <= (toy.length === 2 ? 14 : 9));
        expectEachOutcome(toy);
      }),
      { numRuns: 200, seed: 1 },
    );
  });
});
