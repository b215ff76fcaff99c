import fc, { type Arbitrary } from "fast-check";
import { expect, test } from "vitest";
import type { Operation } from "../core/operation.ts";
import type { Scenario } from "../core/scenario.ts";
import { type Removal, shrinkArguments } from "./argument-shrinking.ts";
import { generator, type ShrinkTree } from "./generate.ts";
import { toyService } from "./toy.fixture.ts";

type Sending = Scenario<number, Operation>;

const send = fc.record({ name: fc.constant("send"), to: fc.integer({ min: 1, max: 99 }) });
const wait = fc.record({ name: fc.constant("wait"), ms: fc.nat(99) });
const sendings: Arbitrary<Sending> = fc.record({
  initial: fc.nat(9),
  clients: fc.tuple(fc.tuple(send, wait), fc.tuple(send)),
});

const asGenerated: Removal<number, Operation> = (scenario) => scenario;
const withoutWait: Removal<number, Operation> = ({ initial, clients }) => ({
  initial,
  clients: clients.map((operations) => operations.filter(({ name }) => name !== "wait")),
});

function treeOf(scenarios: Arbitrary<Sending>, index = 0): ShrinkTree<Sending> {
  const service = { ...toyService(), scenarios: () => scenarios } as never;
  return generator<number, Operation>(service, { minClients: 1, maxClients: 2 }, 1)(index).tree;
}

/** Shrinks until no simpler scenario has the property. */
function simplest(
  tree: ShrinkTree<Sending>,
  removal: Removal<number, Operation>,
  fails: (scenario: Sending) => boolean,
): Sending {
  const scenario = removal(tree.value);
  for (const simpler of shrinkArguments(scenario, tree, removal)) {
    if (fails(simpler.scenario)) return simplest(simpler.tree, removal, fails);
  }
  return scenario;
}

test("arguments and the initial state become as small as the generator allows", () => {
  expect(simplest(treeOf(sendings), asGenerated, () => true)).toEqual({
    initial: 0,
    clients: [
      [
        { name: "send", to: 1 },
        { name: "wait", ms: 0 },
      ],
      [{ name: "send", to: 1 }],
    ],
  });
});

test("an argument that the failure needs stays", () => {
  const fails = ({ clients }: Sending) => Number(clients[1]?.[0]?.["to"]) >= 7;
  const large = [...Array(50).keys()].map((index) => treeOf(sendings, index));
  const failing = large.filter(({ value }) => fails(value));
  expect(failing.length).toBeGreaterThan(10);
  for (const tree of failing) {
    expect(simplest(tree, asGenerated, fails).clients[1]).toEqual([{ name: "send", to: 7 }]);
  }
});

test("what was removed from the counterexample is removed from every simpler scenario", () => {
  for (let index = 0; index < 20; index++) {
    const tree = treeOf(sendings, index);
    const texts = [...shrinkArguments(withoutWait(tree.value), tree, withoutWait)].map(
      ({ scenario }) => JSON.stringify(scenario),
    );
    expect(texts.filter((text) => text.includes("wait"))).toEqual([]);
    // A step that only shrinks the removed operation is no candidate.
    expect(texts).not.toContain(JSON.stringify(withoutWait(tree.value)));
  }
  expect(simplest(treeOf(sendings), withoutWait, () => true)).toEqual({
    initial: 0,
    clients: [[{ name: "send", to: 1 }], [{ name: "send", to: 1 }]],
  });
});

test("scenarios with other clients or other operations are left out", () => {
  const lists = fc.array(fc.array(fc.oneof(wait, send), { minLength: 1 }), { minLength: 1 });
  const scenarios = fc.record({ initial: fc.nat(9), clients: lists });
  const names = ({ clients }: Sending) => clients.map((list) => list.map(({ name }) => name));
  for (let index = 0; index < 20; index++) {
    const tree = treeOf(scenarios, index);
    for (const { scenario } of shrinkArguments(tree.value, tree, asGenerated)) {
      expect(names(scenario)).toEqual(names(tree.value));
    }
  }
});
