import { expect, test } from "vitest";
import type { DefinedOperation } from "./operation-definition.ts";
import { operationPairs, type PrefixProbe } from "./operation-pairs.ts";
import type { PairCandidates } from "./pair-variants.ts";

const item = (row: number) => ({ of: "items.id", row }) as const;
const order = (row: number, quantity: number) => ({ name: "order", item: item(row), quantity });
const pay = { name: "pay", key: "a" };
const move = (from: number, to: number) => ({ name: "move", from: item(from), to: item(to) });

/** A service in which everything succeeds that `refuse` does not name; `made` makes a prefix richer. */
function probe(
  refuse: (prefix: readonly DefinedOperation[], operation: DefinedOperation) => boolean = () =>
    false,
  excludes: (
    first: DefinedOperation,
    second: DefinedOperation,
    prefix: readonly DefinedOperation[],
  ) => boolean = () => false,
  made: readonly DefinedOperation[] = [],
): PrefixProbe {
  return {
    succeeds: async (prefix, operation) => !refuse(prefix, operation),
    excludes: async (prefix, first, second) => excludes(first, second, prefix),
    related: async () => undefined,
    enriched: async (prefix) => [...prefix, ...made],
  };
}

const pairsOf = async (...given: Parameters<typeof operationPairs>) =>
  (await operationPairs(...given)).pairs;

const of = (...operations: readonly [DefinedOperation, ...DefinedOperation[]]): PairCandidates => ({
  name: operations[0].name,
  prefix: [],
  operations,
});

test("every two operations are paired, on the same row and on different ones", async () => {
  const look = { name: "look", id: item(1) };
  const pairs = await pairsOf([of(look), of(order(0, 1)), of(pay)], probe());
  expect(pairs.map(({ name }) => name)).toEqual([
    "look × look, same items.id",
    "look × look, different items.id",
    "look × order, same items.id",
    "look × order, different items.id",
    "look × pay",
    "order × order, same items.id",
    "order × order, different items.id",
    "order × pay",
    "pay × pay, same arguments",
  ]);
  expect(pairs[2]?.operations).toEqual([look, order(1, 1)]);
  expect(pairs[3]?.operations).toEqual([look, order(0, 1)]);
});

test("an operation without rows is paired with the same and with other arguments", async () => {
  const pairs = await pairsOf([of(pay, { ...pay, key: "b" })], probe());
  expect(pairs.map(({ name, operations }) => [name, operations.map(({ key }) => key)])).toEqual([
    ["pay × pay, same arguments", ["a", "a"]],
    ["pay × pay, different arguments", ["a", "b"]],
  ]);
});

test("operations on two rows also meet in the other order", async () => {
  const pairs = await pairsOf([of(move(0, 1))], probe());
  expect(pairs.map(({ name }) => name)).toContain("move × move, crossed items.id");
  expect(pairs.find(({ name }) => name.includes("crossed"))?.operations).toEqual([
    move(0, 1),
    move(1, 0),
  ]);
});

test("operations on rows of two tables also share the row of one table alone", async () => {
  const hold = (seat: number, wallet: number) => ({
    name: "hold",
    seat: { of: "seats.id", row: seat },
    wallet: { of: "wallets.id", row: wallet },
  });
  const sameWallet = (first: DefinedOperation, second: DefinedOperation) =>
    JSON.stringify(first["wallet"]) === JSON.stringify(second["wallet"]);
  const pairs = await pairsOf([of(hold(0, 1))], probe(undefined, sameWallet));
  expect(pairs.map(({ name, operations }) => [name, operations[1]])).toEqual([
    ["hold × hold, same seats.id, wallets.id", hold(0, 1)],
    ["hold × hold, same wallets.id, different seats.id", hold(1, 1)],
    ["hold × hold, different seats.id, wallets.id", hold(1, 0)],
    ["hold × hold, same seats.id, different wallets.id", hold(0, 0)],
  ]);
});

test("a pair has the shortest prefix after which both succeed, and none if there is none", async () => {
  const cancel = { name: "cancel" };
  const all = [
    { name: "cancel", prefix: [order(0, 1)], operations: [cancel] },
    { name: "pay", prefix: [], operations: [pay] },
  ];
  const needsOrder = probe(
    (prefix, { name }) => name === "cancel" && !prefix.some((one) => one.name === "order"),
  );
  const pairs = await pairsOf(all, needsOrder);
  expect(pairs.map(({ name, prefix }) => [name, prefix.length])).toEqual([
    ["cancel × cancel, same arguments", 1],
    ["cancel × pay", 1],
    ["pay × pay, same arguments", 0],
  ]);
  expect(
    await pairsOf(
      all,
      probe(({ length }) => length > 0),
    ),
  ).toHaveLength(2);
  expect(
    await pairsOf(
      all,
      probe(() => true),
    ),
  ).toEqual([]);
});

test("arguments are preferred with which one operation fails after the other", async () => {
  const few = order(0, 1);
  const many = order(0, 3);
  const soldOut = (first: DefinedOperation, second: DefinedOperation) =>
    Number(first["quantity"]) + Number(second["quantity"]) > 3;
  const [same] = await pairsOf([of(few, many)], probe(undefined, soldOut));
  expect(same?.operations).toEqual([many, many]);
  const [any] = await pairsOf([of(few, many)], probe());
  expect(any?.operations).toEqual([few, few]);
  const [first] = await pairsOf([of({ name: "look" }), of(few, many)], probe(undefined, soldOut));
  expect(first?.name).toBe("order × order, same items.id");
});

test("a richer prefix comes first, and the shortest one if only there one excludes the other", async () => {
  const made = [order(0, 1)];
  const rich = probe(undefined, undefined, made);
  expect((await pairsOf([of(pay)], rich))[0]?.prefix).toEqual(made);
  const poor = probe(undefined, (_, __, prefix) => prefix.length === 0, made);
  expect((await pairsOf([of(pay)], poor))[0]?.prefix).toEqual([]);
});

test("operations are repeated before their pair until one of them excludes the other", async () => {
  const most = 3;
  const quota = probe(
    (prefix) => prefix.length >= most,
    (_, __, prefix) => prefix.length + 1 >= most,
  );
  const [first] = await pairsOf([of(order(0, 1))], quota);
  expect(first).toMatchObject({ prefix: [order(0, 1), order(0, 1)] });
});

test("other rows are more than one: the first of them may not do", async () => {
  const refused = probe((_, { item }) => JSON.stringify(item).includes('"row":1'));
  const pairs = await pairsOf([of(order(0, 1))], refused);
  expect(pairs.map(({ operations }) => operations[1])).toEqual([order(0, 1), order(2, 1)]);
});

test("pairs for which there is no state are named, and those that cannot be are not", async () => {
  const alone = probe((_, { item }) => !JSON.stringify(item).includes('"row":0'));
  const { pairs, unreached } = await operationPairs([of(order(0, 1))], alone);
  expect(pairs.map(({ name }) => name)).toEqual(["order × order, same items.id"]);
  expect(unreached).toEqual(["order × order, different items.id"]);
});

test("operations on rows of different tables take rows that belong together, if there are any", async () => {
  const cancel = { name: "cancel", id: { of: "orders.id", row: 0 } };
  const found = async (changed: DefinedOperation | undefined) => {
    const related = { ...probe(), related: async () => changed };
    const pairs = await pairsOf([of(cancel), of(order(0, 1))], related);
    return pairs.find(({ name }) => name === "cancel × order")?.operations[1];
  };
  expect(await found(order(2, 1))).toEqual(order(2, 1));
  expect(await found(undefined)).toEqual(order(0, 1));
});

test("an operation on one row meets one on two rows at either of them", async () => {
  const pairs = await pairsOf([of(order(1, 1)), of(move(0, 1))], probe());
  const both = pairs.filter(({ name }) => name.startsWith("order × move"));
  expect(both.map(({ name, operations }) => [name, operations[1]])).toEqual([
    ["order × move, same items.id", move(1, 0)],
    ["order × move, same items.id (2)", move(0, 1)],
    ["order × move, different items.id", move(0, 2)],
  ]);
  const others = await pairsOf([of(move(0, 1)), of(order(1, 1))], probe());
  const reversed = others.filter(({ name }) => name.startsWith("move × order"));
  expect(reversed.map(({ operations }) => operations[1])).toEqual([
    order(0, 1),
    order(1, 1),
    order(2, 1),
  ]);
});
