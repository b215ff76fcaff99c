import { expect, test } from "vitest";
import { preemptionCount } from "../core/execution.ts";
import {
  executeToy,
  increment,
  look,
  type Toy,
  type ToyExecution,
  toyService,
} from "../explorer/toy.fixture.ts";
import { Exhaustive } from "../scheduler/exhaustive.ts";
import { huntingOrder, type OrderOptions } from "./search-order.ts";
import { alone, Ways } from "./solo-runs.ts";

const pair = (a: Toy, b: Toy) => ({
  name: `${a.name} × ${b.name}`,
  scenario: { initial: 7, clients: [[a], [b]] },
});
const pairs = [pair(look, look), pair(look, increment), pair(increment, increment)];
const service = toyService({ pairs: () => pairs });
const OPTIONS: OrderOptions = {
  seed: 1,
  bounds: { minClients: 2, maxClients: 2 },
  faults: [],
};

/** Where the routine that an increment calls is defined so. */
function ways(definition: string, executions: readonly ToyExecution[] = []): Ways {
  const all = new Ways(new Map([["write", definition]]));
  for (const execution of executions) all.add(execution);
  return all;
}

/** The first executions, and the operations of each, with the number of preemptions. */
function first(count: number, changes: Partial<OrderOptions> = {}) {
  const order = huntingOrder(service, { ...OPTIONS, ...changes });
  const executions: ToyExecution[] = [];
  for (let next = order.next(); executions.length < count; ) {
    const execution = executeToy(next.value.scenario, next.value.scheduler);
    executions.push(execution);
    next = order.next(execution);
  }
  // A generated scenario never begins with 7.
  const [generated, searched] = [false, true].map((own) =>
    executions.filter(({ scenario }) => (scenario.initial === 7) === own),
  );
  const told = searched?.map(({ scenario, trace }) => {
    const names = scenario.clients.flat().map(({ name }) => name);
    return `${names.join(" × ")}: ${preemptionCount(trace)}`;
  });
  return { generated, told };
}

test("walks and searches take turns", () => {
  const { generated, told } = first(10);
  expect(generated).toHaveLength(5);
  expect(told).toEqual([
    "look: 0",
    "increment: 0",
    "look × look: 0",
    "look × increment: 0",
    "increment × increment: 0",
  ]);
});

/** What each client of the pairs does when nobody else is there. */
const solos = alone(pairs).map((scenario) => executeToy(scenario, new Exhaustive()));

test("pairs that a change concerns come first, each of their schedules in turns", () => {
  const changed = { baseline: ways("once", solos), own: ways("twice") };
  const told = first(40, { ways: changed }).told ?? [];
  // By walks, each twice; then everybody alone; then systematically.
  expect(told.slice(0, 6).map((one) => one.split(":")[0])).toEqual([
    "increment × increment",
    "look × increment",
    "increment × increment",
    "look × increment",
    "look",
    "increment",
  ]);
  expect(told.slice(6, 14)).toEqual([
    "increment × increment: 0",
    "look × increment: 0",
    "increment × increment: 0",
    "look × increment: 0",
    "increment × increment: 1",
    "look × increment: 1",
    "increment × increment: 1",
    "look × increment: 1",
  ]);
  const same = { baseline: ways("once", solos), own: ways("once") };
  expect(first(24, { ways: same }).told).toEqual(first(24).told);
});

test("whom a change of the service concerns is seen when each is alone", () => {
  const isWrite = (event: ToyExecution["trace"][number]) =>
    event.type === "statement" && event.statement.sql === "write";
  const withoutWrites = solos.map((execution) => ({
    ...execution,
    trace: execution.trace.filter((event) => !isWrite(event)),
  }));
  const changed = { baseline: ways("once", withoutWrites), own: ways("once") };
  const told = first(12, { ways: changed }).told ?? [];
  expect(told.slice(0, 2)).toEqual(["look: 0", "increment: 0"]);
  expect(told[2]).toMatch(/^increment × increment: /);
});
