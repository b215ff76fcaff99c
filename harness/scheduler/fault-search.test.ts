import { describe, expect, test } from "vitest";
import { type Choice, entryOf } from "../core/schedule.ts";
import { Exhaustive } from "./exhaustive.ts";
import { FaultSearch, OneSchedule } from "./fault-search.ts";

/**
 * Executes clients with one statement each. A cut ends its client, which can then send again once; a
 * client cannot be cut twice.
 */
function executionsOf(search: FaultSearch, clients = 2, most = 1_000): readonly string[] {
  const executions: string[] = [];
  while (executions.length < most && search.begin()) {
    const left = Array.from({ length: clients }, (): Choice["action"][] => ["start", "release"]);
    const lost = new Set<number>();
    const entries: string[] = [];
    let previous: string | undefined;
    for (;;) {
      const enabled = left.flatMap(([action], client): Choice[] =>
        action === undefined ? [] : [{ task: String(client), action }],
      );
      const faults = left.flatMap(([action], client): Choice[] => {
        const task = String(client);
        if (lost.has(client)) return [{ task, action: "retry" }];
        return action === "release" ? [{ task, action: "cut-before" }] : [];
      });
      const fault = search.inject(faults);
      if (fault === undefined && enabled.length === 0) break;
      const choice = fault ?? search.choose(enabled, previous);
      const client = Number(choice.task);
      if (choice.action === "cut-before") {
        left[client] = [];
        lost.add(client);
      } else if (choice.action === "retry") {
        left[client] = ["release"];
        lost.delete(client);
      } else left[client]?.shift();
      entries.push(entryOf(choice));
      previous = choice.task;
    }
    executions.push(entries.join(" "));
  }
  return executions;
}

const ORDERS = ["0 0 1 1", "1 1 0 0"];

test("a search without kinds of faults executes the schedules alone", () => {
  const search = new FaultSearch([], new Exhaustive(0));
  expect(executionsOf(search)).toEqual(ORDERS);
  expect(search.complete).toBe(true);
});

test("after the last schedule each fault is injected at each place, and the rest of the schedule follows", () => {
  const search = new FaultSearch(["cut-before"], new Exhaustive(0));
  expect(executionsOf(search)).toEqual([
    ...ORDERS,
    "0 0!cut-before 1 1",
    "0 0 1 1!cut-before",
    "1 1!cut-before 0 0",
    "1 1 0 0!cut-before",
  ]);
  expect(search).toMatchObject({ complete: true, injected: 4 });
});

test("each place counts, also before a step that is no choice", () => {
  const search = new FaultSearch(["cut-before"], new OneSchedule());
  const places: string[] = [];
  while (search.begin()) {
    const path: string[] = [];
    for (const action of ["start", "private", "private", "release"] as const) {
      const cut = { task: "0", action: "cut-before" } as const;
      const fault = search.inject(action === "start" ? [] : [cut]);
      if (fault !== undefined) {
        places.push(path.join(" "));
        break;
      }
      const choice = { task: "0", action: action === "start" ? action : "release" } as const;
      if (action === "private") search.goesOn(choice);
      else search.choose([choice], "0");
      path.push(action);
    }
  }
  expect(places).toEqual(["start", "start private", "start private private"]);
  expect(search).toMatchObject({ complete: true, injected: 3 });
});

test("a place that several schedules share has one execution", () => {
  const search = new FaultSearch(["cut-before"]);
  const executions = executionsOf(search);
  const faulty = executions.filter((entries) => entries.includes("!"));
  const places = faulty.map((entries) => entries.replace(/(!cut-before).*/, "$1"));
  expect(new Set(places).size).toBe(faulty.length);
  expect(places.filter((place) => place === "0 0!cut-before")).toHaveLength(1);
});

test("where a client can send again after a fault, a further execution does so", () => {
  const search = new FaultSearch(["cut-before", "retry"], new Exhaustive(0));
  const executions = executionsOf(search, 1);
  expect(executions).toEqual(["0 0", "0 0!cut-before", "0 0!cut-before 0!retry 0"]);
  expect(search).toMatchObject({ complete: true, injected: 1 });
});

describe("a search is incomplete where an execution does not come to the place of", () => {
  const cut: Choice = { task: "0", action: "cut-before" };
  const retry: Choice = { task: "0", action: "retry" };

  /** What each execution offers at its only step, and what the search injects there. */
  function injectedOf(search: FaultSearch, offered: readonly (readonly Choice[])[]) {
    return offered.map((faults) => {
      if (!search.begin()) return "ended";
      const fault = search.inject(faults);
      search.choose([{ task: "0", action: "release" }], undefined);
      const again = fault && faults.includes(retry) ? search.inject([retry]) : undefined;
      return [fault, again].map((one) => one?.action ?? "-").join(" ");
    });
  }

  test("its fault", () => {
    const search = new FaultSearch(["cut-before"], new OneSchedule());
    expect(injectedOf(search, [[cut], []])).toEqual(["- -", "- -"]);
    expect(search).toMatchObject({ complete: false, injected: 0 });
    expect(search.diverged).toMatch(/^at step 0 cut-before was possible for task 0/);
    expect(search.begin()).toBe(false);
    expect(search.complete).toBe(false);
  });

  test("its retry", () => {
    const search = new FaultSearch(["cut-before", "retry"], new OneSchedule());
    const offered = [[cut], [cut, retry], [cut]];
    expect(injectedOf(search, offered)).toEqual(["- -", "cut-before -", "cut-before -"]);
    expect(search).toMatchObject({ complete: false, injected: 1 });
    expect(search.diverged).toContain("a retry after cut-before was possible");
  });
});

test("a search is incomplete until the last fault was injected", () => {
  const search = new FaultSearch(["cut-before"], new Exhaustive(0));
  executionsOf(search, 2, 5);
  expect(search.search.complete).toBe(true);
  expect(search.complete).toBe(false);
});

describe("the kinds of faults", () => {
  const fault = (task: string, action: Choice["action"]): Choice => ({ task, action });
  /** The faults that are possible at each step of an execution. */
  const STEPS = [
    [],
    [fault("0", "cancel"), fault("0", "terminate")],
    [fault("0", "cancel"), fault("1", "cancel")],
    [fault("1", "crash")],
  ];

  /** For each execution, what is injected at each step. */
  function injectionsOf(search: FaultSearch, steps = STEPS): readonly string[] {
    const executions: string[] = [];
    while (search.begin()) {
      const injected = steps.map((faults, step) => {
        const choice = search.inject(faults);
        search.choose([{ task: String(step), action: "release" }], undefined);
        return choice === undefined ? "-" : `${choice.task} ${choice.action}`;
      });
      executions.push(injected.join(", "));
    }
    return executions;
  }

  test("take turns, in the order in which they were asked for", () => {
    const search = new FaultSearch(["crash", "cancel", "terminate"], new OneSchedule());
    expect(injectionsOf(search)).toEqual([
      "-, -, -, -",
      "-, -, -, 1 crash",
      "-, 0 cancel, -, -",
      "-, 0 terminate, -, -",
      "-, -, 0 cancel, -",
      "-, -, 1 cancel, -",
    ]);
    expect(search).toMatchObject({ complete: true, injected: 5 });
  });

  test("are left out where they are never possible", () => {
    const search = new FaultSearch(["kill-after"], new OneSchedule());
    expect(injectionsOf(search)).toEqual(["-, -, -, -"]);
    expect(search.complete).toBe(true);
    expect(injectionsOf(new FaultSearch(["cancel"], new OneSchedule()), [])).toEqual([""]);
  });

  test("are injected at the same places by several searches, each with a range of its own", () => {
    const inRange = (from: number, to: number) =>
      injectionsOf(new FaultSearch(["cancel", "crash"], new OneSchedule(), { from, to })).slice(1);
    const all = inRange(0, 100);
    expect(all).toHaveLength(4);
    expect([...inRange(0, 1), ...inRange(1, 3), ...inRange(3, 100)]).toEqual(all);
    expect(inRange(4, 100)).toEqual([]);
  });
});

test("one schedule never preempts, and fails if no task is enabled", () => {
  const scheduler = new OneSchedule();
  const enabled: Choice[] = [
    { task: "0", action: "start" },
    { task: "1", action: "release" },
  ];
  expect([scheduler.begin(), scheduler.begin()]).toEqual([true, false]);
  expect(scheduler.choose(enabled, "1").task).toBe("1");
  expect(scheduler.choose(enabled, undefined).task).toBe("0");
  expect(() => scheduler.choose([], undefined)).toThrow("choose from nothing");
});
