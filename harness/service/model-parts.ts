import type { Snapshot } from "../core/execution.ts";
import type { JsonObject } from "../core/json.ts";

/** What a part of a history has: some of the calls, and some of the rows. */
interface Part<Call> {
  readonly calls: readonly Call[];
  readonly before: Snapshot | undefined;
  readonly final: Snapshot | undefined;
}

/** The things that calls and rows concern. Those of one call or row belong together. */
interface Concerns<Call> {
  ofCall(call: Call): readonly string[] | "everything";
  ofRow(table: string, row: JsonObject): readonly string[];
}

/** What the calls concern that have no things. */
const NO_THING = Symbol("no thing");

/** The group of the rows that have no things: each part has them. */
const EVERY_PART = Symbol("every part");

type Thing = string | typeof NO_THING;

/**
 * Splits a history into parts that have nothing in common (P-compositionality: Horn and Kroening, "Faster
 * linearizability checking via P-compositionality", 2015). Rows that concern nothing are in each part.
 */
export function independentParts<Call, Whole extends Part<Call>>(
  whole: Whole,
  concerns: Concerns<Call>,
): readonly (Whole & Part<Call>)[] {
  const things = new Map<Call, readonly Thing[]>();
  for (const call of whole.calls) {
    const own = concerns.ofCall(call);
    if (own === "everything") return [whole];
    things.set(call, own.length === 0 ? [NO_THING] : own);
  }
  const groups = new Groups();
  for (const own of things.values()) groups.join(own);
  for (const rows of [whole.before, whole.final]) {
    for (const [table, all] of Object.entries(rows ?? {})) {
      for (const row of all) groups.join(concerns.ofRow(table, row));
    }
  }
  const calls = grouped(whole.calls, (call) => groups.of(things.get(call)?.[0] ?? NO_THING));
  const tables = (rows: Snapshot | undefined) =>
    Object.entries(rows ?? {}).map(([table, all]) => {
      const ofRow = (row: JsonObject) => {
        const [first] = concerns.ofRow(table, row);
        return first === undefined ? EVERY_PART : groups.of(first);
      };
      return [table, grouped(all, ofRow)] as const;
    });
  const [before, final] = [tables(whole.before), tables(whole.final)];
  const rowsOf = (all: typeof before, group: Thing): Snapshot =>
    Object.fromEntries(
      all.map(([table, rows]) => [
        table,
        [...(rows.get(group) ?? []), ...(rows.get(EVERY_PART) ?? [])],
      ]),
    );
  return groups.all.map((group) => ({
    ...whole,
    calls: calls.get(group) ?? [],
    before: whole.before && rowsOf(before, group),
    final: whole.final && rowsOf(final, group),
  }));
}

function grouped<T, Group>(
  items: Iterable<T>,
  groupOf: (item: T) => Group,
): ReadonlyMap<Group, T[]> {
  const groups = new Map<Group, T[]>();
  for (const item of items) {
    const group = groupOf(item);
    const members = groups.get(group);
    if (members === undefined) groups.set(group, [item]);
    else members.push(item);
  }
  return groups;
}

/** Union-find: things that were joined, directly or through others, are in one group. */
class Groups {
  readonly #parent = new Map<Thing, Thing>();

  join([first, ...others]: readonly Thing[]): void {
    if (first === undefined) return;
    const root = this.of(first);
    for (const other of others) this.#parent.set(this.of(other), root);
  }

  /** The representative of a thing's group. */
  of(thing: Thing): Thing {
    let root: Thing = thing;
    for (let next = this.#parent.get(root); next !== root; next = this.#parent.get(root)) {
      if (next === undefined) this.#parent.set(root, root);
      else root = next;
    }
    // Path compression.
    for (let at = thing; at !== root; ) {
      const next = this.#parent.get(at) ?? root;
      this.#parent.set(at, root);
      at = next;
    }
    return root;
  }

  get all(): readonly Thing[] {
    return [...this.#parent].filter(([thing, parent]) => thing === parent).map(([thing]) => thing);
  }
}
