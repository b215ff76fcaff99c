import { expect, test } from "vitest";
import type { Json } from "../core/json.ts";
import type { SystemContext } from "../execution/system.ts";
import { DefinedClients } from "./defined-clients.ts";
import { call } from "./operation-definition.ts";

/** Nothing here uses the database. */
const CONTEXT = { isBusy: () => false } as unknown as SystemContext;

const ids = { make: { id: "items" }, "public.items": { id: "items" } };

/** Clients of which one makes items, with the numbers 5, 6 and so on, and one uses them. */
function clients(used: Json[]): DefinedClients {
  let next = 5;
  const operations = {
    make: call({}, () => ({ id: next++ })),
    use: call({ item: 0 }, ({ item }) => void used.push(item)),
  };
  const { signal } = new AbortController();
  const options = { definition: { setup: [], operations }, service: undefined, ids, signal };
  return new DefinedClients(CONTEXT, options);
}

const OWN = { name: "use", item: { of: "public.items.id", row: 0, own: true } };

test("a client refers to the id in its last answer, and to no answer that it did not wait for", async () => {
  const used: Json[] = [];
  const all = clients(used);
  all.begin(new Map([["public.items.id", [2, 1]]]));
  await all.perform({ name: "make" }, 0, AbortSignal.abort());
  await all.perform(OWN, 0);
  await all.perform({ name: "make" }, 0);
  await all.perform(OWN, 0);
  await all.perform(OWN, 1);
  expect(used).toEqual([2, 6, 2]);
  expect(all.answers.map(({ client, operation }) => [client, operation])).toEqual([
    [0, "use"],
    [0, "make"],
    [0, "use"],
    [1, "use"],
  ]);
});

test("an execution knows nothing of the answers in the one before", async () => {
  const used: Json[] = [];
  const all = clients(used);
  const rows = new Map([["public.items.id", [1]]]);
  all.begin(rows);
  await all.perform({ name: "make" }, 0);
  all.begin(rows);
  await all.perform(OWN, 0);
  expect(used).toEqual([1]);
  expect(all.answers).toHaveLength(1);
});
