import { expect, test } from "vitest";
import type { Execution } from "../core/execution.ts";
import { type Footprint, NOTHING } from "../core/footprint.ts";
import type { Scenario } from "../core/scenario.ts";
import type { Choice } from "../core/schedule.ts";
import { Discoveries } from "../execution/discoveries.ts";
import type { System } from "../execution/system.ts";
import type { RequestFootprint } from "../footprints/footprints.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";
import { conflictsOfPairs, withPairs } from "./independent-pairs.ts";
import { toyService } from "./toy.fixture.ts";

type Named = { readonly name: string };

/** Reads the table, or changes it and commits. */
const footprint = (reads: string, writes?: string): Footprint => ({
  step: {
    ...NOTHING,
    reads: new Set([reads]),
    writes: new Set(writes === undefined ? [] : [writes]),
  },
  held: NOTHING,
  keeps: false,
  ends: writes !== undefined,
  snapshot: false,
  tracked: false,
  clock: false,
});

/** By operation: the footprints of its steps. */
const STEPS: { readonly [name: string]: readonly (Footprint | undefined)[] } = {
  look: [footprint("items")],
  order: [footprint("items"), footprint("items", "orders")],
  restock: [footprint("items", "items")],
  register: [footprint("customers", "customers")],
  mystery: [footprint("items"), undefined],
  impersonate: [footprint("users")],
  stamp: [{ ...footprint("items", "stamps"), clock: true }],
  sign: [{ ...footprint("items", "signatures"), clock: true }],
};

let executed: string[] = [];

let mostConnections = Number.POSITIVE_INFINITY;

/** One client after the other, as the executor does it. */
const executor = {
  discoveries: new Discoveries(),
  use: async <T>(_: string, use: (system: System<null, Named>) => Promise<T>) =>
    use({ mostConnections: () => mostConnections } as System<null, Named>),
  async execute(scenario: Scenario<null, Named>, scheduler: Scheduler) {
    const { clients } = scenario;
    for (const { name } of clients.flat()) {
      executed.push(name);
      for (const step of STEPS[name] ?? []) {
        const choices: readonly Choice[] = [{ task: "0", action: "start" }];
        scheduler.choose(choices, undefined, () => step);
      }
      if (name === "impersonate") setsParameter(executor.discoveries);
    }
    return { scenario } as Execution<null, Named>;
  },
};

/** As a statement does in a session that was open before. */
function setsParameter(discoveries: Discoveries): void {
  const session = {} as Parameters<Discoveries["uses"]>[0];
  discoveries.begins([session]);
  const request = { ofSession: "changes" } as RequestFootprint;
  discoveries.uses(session, request, { sql: "set x = 1", values: [] });
}

const pair = (...clients: readonly (readonly string[])[]) => ({
  name: clients.flat().join(" × "),
  scenario: { initial: null, clients: clients.map((names) => names.map((name) => ({ name }))) },
});

test("pairs that touch nothing in common are independent; what is unknown may touch anything", async () => {
  executed = [];
  const pairs = [
    pair(["look"], ["look"]),
    pair(["look"], ["order"]),
    pair(["look"], ["restock"]),
    pair(["order"], ["order"]),
    pair(["order"], ["register"]),
    pair(["order"], ["restock"]),
    pair(["register"], ["mystery"]),
    pair(["look", "look"], ["register"]),
    pair(["look"]),
  ];
  const names = ["look × look", "look × order", "order × register"];
  const { independent, cyclic } = await conflictsOfPairs(executor, pairs, async () => true, true);
  expect(independent).toEqual(names);
  // An order reads the stock twice: a new one between is none that it has seen before.
  expect(cyclic).toEqual(["order × restock", "register × mystery"]);
  // Each operation was executed once, and each of these pairs.
  const alone = ["look", "mystery", "order", "register", "restock"];
  expect(executed.sort()).toEqual([...alone, ...names.flatMap((it) => it.split(" × "))].sort());
});

const independentOf = async (
  pairs: readonly (readonly (readonly string[])[])[],
  comparesTimes = true,
) => {
  const all = pairs.map((clients) => pair(...clients));
  return (await conflictsOfPairs(executor, all, async () => true, comparesTimes)).independent;
};

test("operations that both read the clock are not independent where a rule may compare times", async () => {
  const pairs = [
    [["stamp"], ["sign"]],
    [["stamp"], ["register"]],
  ];
  expect(await independentOf(pairs)).toEqual(["stamp × register"]);
  // Where no rule compares times, none can tell.
  expect(await independentOf(pairs, false)).toEqual(["stamp × sign", "stamp × register"]);
});

test("no pair is independent where two clients can use up the connections of a pool", async () => {
  mostConnections = 3;
  expect(await independentOf([[["look"], ["look"]]])).toEqual([]);
  mostConnections = 4;
  expect(await independentOf([[["look"], ["look"]]])).toEqual(["look × look"]);
});

test("no pair is independent where an operation leaves something in its session", async () => {
  const pairs = [
    [["look"], ["look"]],
    [["impersonate"], ["look"]],
  ];
  expect(await independentOf(pairs)).toEqual([]);
  expect(await independentOf(pairs.slice(0, 1))).toEqual(["look × look"]);
});

test("a pair that breaks a rule in any order is not left out", async () => {
  const pairs = [pair(["look"], ["order"]), pair(["order"], ["register"])];
  const holds = async ({ scenario }: Execution<null, Named>) =>
    scenario.clients.flat().every(({ name }) => name !== "register");
  const found = await conflictsOfPairs(executor, pairs, holds, true);
  expect(found).toEqual({ independent: ["look × order"], cyclic: [] });
});

test("a service keeps the pairs that are named, in their order", () => {
  const toy = { name: "a", scenario: { initial: 0, clients: [] } };
  const service = toyService({ pairs: () => [toy, { ...toy, name: "b" }, { ...toy, name: "c" }] });
  const kept = withPairs(service, ["c", "a", "gone"]).pairs?.();
  expect(kept?.map(({ name }) => name)).toEqual(["c", "a"]);
  expect(withPairs(toyService({}), ["a"]).pairs?.()).toEqual([]);
});
