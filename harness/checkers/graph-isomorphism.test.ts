import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Snapshot } from "../core/execution.ts";
import type { IdFields } from "../core/ids.ts";
import { cycles, friendTable, strangers } from "./graph.fixture.ts";
import { IdBijection } from "./id-bijection.ts";

const fields: IdFields = {
  people: { id: "person", boss: "person" },
  orders: { id: "order", person: "person" },
  lines: { order: "order", of: "person" },
  friends: { a: "person", b: "person" },
};

const compare = (left: Snapshot, right: Snapshot) =>
  IdBijection.from(null, fields).compare(left, right);

/** The ids 1 to `count`, of people and of orders, and the rows that refer to them. */
const tables = fc.integer({ min: 1, max: 5 }).chain((count) => {
  const id = fc.integer({ min: 1, max: count });
  const text = fc.constantFrom("x", "y");
  const maxLength = { maxLength: 6 };
  return fc.record({
    people: fc.array(fc.record({ id, boss: fc.option(id), text }), maxLength),
    orders: fc.array(fc.record({ id, person: id }), maxLength),
    lines: fc.array(fc.record({ order: id, of: id, text }), maxLength),
  });
});

/** The tables with each id replaced, by kind and id. */
function renamed(tables: Snapshot, name: (kind: string, id: number) => number): Snapshot {
  const rows = Object.entries(tables).map(([table, its]) => {
    const other = its.map((row) => {
      const values = Object.entries(row).map(([field, value]) => {
        const kind = fields[table]?.[field];
        const isId = kind !== undefined && typeof value === "number";
        return [field, isId ? name(kind, value) : value];
      });
      return Object.fromEntries(values);
    });
    return [table, other];
  });
  return Object.fromEntries(rows);
}

function permutations(of: readonly number[]): readonly (readonly number[])[] {
  if (of.length === 0) return [[]];
  return of.flatMap((first) =>
    permutations(of.filter((it) => it !== first)).map((rest) => [first, ...rest]),
  );
}

/** Tries every bijection of the ids of people; `tables` have no other ids. */
function sameByForce(left: Snapshot, right: Snapshot, people: number): boolean {
  const text = (tables: Snapshot) =>
    Object.values(tables)
      .map((rows) => rows.map((row) => JSON.stringify(row)).sort())
      .join("\n");
  const wanted = text(right);
  const ids = Array.from({ length: people }, (_, at) => at);
  return permutations(ids).some((to) => text(renamed(left, (_, id) => to[id] ?? id)) === wanted);
}

describe("rows are equal", () => {
  test("when only a later table determines the pairing of ids", () => {
    const people = [{ id: 1 }, { id: 2 }];
    const orders = (...names: readonly string[]) =>
      names.map((name, at) => ({ id: at, person: at + 1, name }));
    const left = { people, orders: orders("x", "y") };
    expect(compare(left, { people, orders: orders("y", "x") })).toBe("same");
    expect(compare(left, { people, orders: orders("x", "x") })).toBe("different");
  });

  test("under other ids and in another order", () => {
    const shuffled = tables.chain((left) => {
      const ids = fc.shuffledSubarray([1, 2, 3, 4, 5], { minLength: 5 });
      const any = <Row>(rows: Row[]) => fc.shuffledSubarray(rows, { minLength: rows.length });
      const other = fc.record({
        people: any(left.people),
        orders: any(left.orders),
        lines: any(left.lines),
      });
      return fc.tuple(fc.constant(left), other, ids, ids);
    });
    fc.assert(
      fc.property(shuffled, ([left, other, people, orders]) => {
        const name = (kind: string, id: number) => (kind === "person" ? people : orders)[id - 1];
        const right = renamed(other, (kind, id) => name(kind, id) ?? id);
        expect(compare(left, right)).toBe("same");
      }),
    );
  });

  test("exactly when an isomorphism exists", () => {
    const five = { minLength: 5, maxLength: 5 };
    const edges = fc.shuffledSubarray([...strangers(5, [])], five);
    const found = { same: 0, different: 0, unknown: 0 };
    fc.assert(
      fc.property(edges, edges, (one, other) => {
        const [left, right] = [friendTable(one), friendTable(other)];
        const answer = compare(left, right);
        found[answer]++;
        expect(answer === "same").toBe(sameByForce(left, right, 5));
      }),
      { numRuns: 100 },
    );
    expect(Math.min(found.same, found.different)).toBeGreaterThan(0);
  });

  test("also when many components are isomorphic, without trying pairings", () => {
    const many = Array.from({ length: 200 }, (_, id) => id);
    const left = (last: number) => ({
      people: many.map((id) => ({ id, boss: null })),
      orders: many.map((id) => ({ id, person: id })),
      lines: many.map((id) => ({ order: id, of: id === 199 ? last : id })),
    });
    const right = (last: number) =>
      renamed(left(last), (kind, id) => (kind === "person" ? 199 - id : (id * 7) % 200));
    expect(compare(left(199), right(199))).toBe("same");
    expect(compare(left(3), right(8))).toBe("same");
    expect(compare(left(199), right(3))).toBe("different");
    expect(compare(left(3), right(199))).toBe("different");
  });

  test("not when different graphs have the same colours", () => {
    const six = friendTable(cycles(6, 6, 6));
    expect(
      compare(
        six,
        renamed(six, (_, id) => (id * 5) % 18),
      ),
    ).toBe("same");
    expect(compare(six, friendTable(cycles(6, 6, 3, 3)))).toBe("different");
    expect(compare(friendTable(cycles(3, 6, 3, 6)), six)).toBe("different");
  });
});

test("too many pairings make the result unknown", () => {
  const six = friendTable(strangers(24, cycles(6, 6, 6, 6)));
  const three = friendTable(strangers(24, cycles(6, 6, 6, 3, 3)));
  expect(compare(six, three)).toBe("unknown");
  expect(
    compare(
      six,
      renamed(six, (_, id) => (id * 7) % 24),
    ),
  ).toBe("same");
});
