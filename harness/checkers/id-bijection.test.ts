import { describe, expect, test } from "vitest";
import type { IdFields } from "../core/ids.ts";
import type { Json } from "../core/json.ts";
import { IdBijection } from "./id-bijection.ts";

const fields: IdFields = {
  shelves: { id: "shelf" },
  books: { id: "book", shelf_id: "shelf" },
  put: { id: "book", shelfId: "shelf" },
  shelf: { id: "shelf" },
};
const none = IdBijection.from({ shelves: [{ id: 1 }, { id: 2 }] }, fields);
const put = (id: string, shelfId: string): Json => ({ id, shelfId, title: "Faust" });

describe("two values are equal up to ids", () => {
  test.each<[string, Json, Json]>([
    ["when they are equal", put("5", "1"), put("5", "1")],
    ["when only a new id differs", put("5", "1"), put("6", "1")],
    ["in lists, too", [put("5", "1"), put("6", "1")], [put("6", "1"), put("5", "1")]],
    ["when no id is there on either side", put("5", "1"), put("5", "1")],
  ])("%s", (_, left, right) => {
    expect(none.unified(left, right, "put")).toBeDefined();
  });

  test.each<[string, Json, Json]>([
    ["when something else differs", { ...(put("5", "1") as object), title: "Emma" }, put("5", "1")],
    ["when both began with the id", put("5", "1"), put("5", "2")],
    ["when a new id stands for one that both began with", put("5", "3"), put("5", "1")],
    ["when one id stands for two", [put("5", "1"), put("5", "1")], [put("5", "1"), put("6", "1")]],
    ["when two ids stand for one", [put("5", "1"), put("6", "1")], [put("5", "1"), put("5", "1")]],
    ["when a field is missing", put("5", "1"), { id: "5", shelfId: "1" }],
    [
      "when there is nothing where an id was",
      put("5", "1"),
      { ...(put("5", "1") as object), id: null },
    ],
    ["when a list is longer", [put("5", "1")], [put("5", "1"), put("6", "1")]],
  ])("not %s", (_, left, right) => {
    expect(none.unified(left, right, "put")).toBeUndefined();
  });

  test("paired ids stay paired; ids of different kinds are independent", () => {
    const paired = none.unified(put("5", "1"), put("6", "1"), "put");
    expect(paired?.unified(put("5", "1"), put("5", "1"), "put")).toBeUndefined();
    expect(paired?.unified(put("6", "1"), put("6", "1"), "put")).toBeUndefined();
    expect(paired?.unified({ id: "5" }, { id: "5" }, "shelf")).toBeDefined();
  });
});

describe("tables are equal up to ids", () => {
  const tables = (...books: (readonly [number, number])[]) => ({
    shelves: [{ id: 1 }, { id: 2 }],
    books: books.map(([id, shelf_id]) => ({ id, shelf_id })),
  });

  test("whatever the order of their rows", () => {
    const paired = none.unified({ id: 5 }, { id: 6 }, "put");
    const left = tables([5, 1], [6, 2]);
    expect(paired?.compare(left, tables([5, 2], [6, 1]))).toBe("same");
    expect(paired?.compare(left, tables([5, 1], [6, 2]))).toBe("different");
  });

  test("not when a row is missing, additional or different", () => {
    expect(none.compare(tables([5, 1]), tables())).toBe("different");
    expect(none.compare(tables(), tables([5, 1]))).toBe("different");
    expect(none.compare(tables([5, 1]), tables([5, 2]))).toBe("different");
    expect(none.compare(tables(), { shelves: [{ id: 1 }, { id: 2 }] })).toBe("different");
  });
});

test("a bijection knows the ids of the initial state and the paired ones", () => {
  expect(none.knows({ shelf: { id: 1 } }, "")).toBe(true);
  expect(none.knows({ shelf: { id: 3 } }, "")).toBe(false);
  const paired = none.unified({ id: 3 }, { id: 4 }, "shelf");
  expect(paired?.knows({ shelf: { id: 3 } }, "")).toBe(true);
});
