import type { Touched } from "../core/footprint.ts";
import type { Catalog, Relation, Routine } from "./catalog.ts";
import { type FunctionCall, type Names, namesIn, type Write } from "./names.ts";

/** Functions of the server that are volatile, and touch nothing that others could see. */
const HARMLESS = new Set([
  ...["random", "random_normal", "setseed", "gen_random_uuid", "uuidv4", "uuidv7"],
  ...["clock_timestamp", "timeofday", "pg_sleep", "pg_sleep_for", "pg_sleep_until", "pg_typeof"],
]);

/** Functions of the server that are stable, and yet tell of more than what was committed. */
const REVEALING = /^(pg_|txid_|currtid)|xml/;

const ADVISORY = /^pg_(try_)?advisory_(xact_)?(un)?lock(_shared)?$/;

/** The name in footprints under which every advisory lock has a share. */
const ADVISORY_LOCKS = "advisory locks";

export const isAdvisory = (object: string): boolean => object.startsWith("advisory lock");

/**
 * Collects what SQL texts may touch: what they name, and what that leads to. Relations and routines
 * are found by their names alone, in whatever schema. Routines are called, not entered: `calls`.
 */
export class FootprintBuilder implements Touched {
  readonly reads = new Set<string>();
  readonly shares = new Set<string>();
  readonly writes = new Set<string>();
  readonly calls = new Set<Routine>();
  /** Something is not understood: anything may be touched. */
  unknown = false;
  deferred = false;
  /** The harness stops at rows that are written here. */
  rowGates = false;
  readonly #catalog: Catalog;
  readonly #written = new Set<string>();

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  text(sql: string): this {
    this.#names(namesIn(sql), false);
    return this;
  }

  /** All that the routine does, not what it calls. */
  routine({ body }: Routine): void {
    if (body === "nothing") return;
    if (body === "unknown") {
      this.unknown = true;
      return;
    }
    for (const { texts, unknown } of [body.free, ...body.gated.values()]) {
      this.unknown ||= unknown;
      for (const text of texts) this.text(text);
    }
  }

  /** Enters what is called, and what that calls. */
  enter(): this {
    // What is found on the way is visited too.
    for (const routine of this.calls) this.routine(routine);
    return this;
  }

  /** `locked`: whoever reads it locks its rows. */
  #names(names: Names, locked: boolean): void {
    this.unknown ||= names.unknown;
    const defined = new Set(names.defined);
    for (const name of names.reads) this.#read(name, defined, locked || names.locks);
    for (const { table, how } of names.writes) {
      const found = this.#catalog.relationsNamed(table);
      this.unknown ||= found.length === 0;
      for (const relation of found) this.#write(relation, how);
    }
    for (const call of names.calls) this.#call(call);
    for (const name of names.attributes) {
      const known = this.#catalog.builtin.has(name) || this.#catalog.routinesNamed(name).length > 0;
      if (known) this.#call({ name, operator: false, constants: [undefined] });
    }
  }

  #read(name: string, defined: ReadonlySet<string>, locked: boolean): void {
    const found = this.#catalog.relationsNamed(name);
    if (found.length === 0 && !defined.has(name) && !this.#catalog.transitions.has(name)) {
      this.unknown = true;
    }
    for (const { object, kind, opaque, query } of found) {
      this.unknown ||= opaque || kind === "f";
      if (query !== undefined) this.#names(namesIn(query), locked);
      // A sequence shows its last value at once, committed or not.
      else if (locked || kind === "S") this.writes.add(object);
      else this.reads.add(object);
    }
  }

  #write(relation: Relation, how: Write): void {
    const key = `${relation.object} ${how}`;
    if (this.#written.has(key)) return;
    this.#written.add(key);
    this.writes.add(relation.object);
    for (const member of this.#catalog.family(relation)) {
      const { kind, opaque, deferred, rowGates, oid } = member;
      this.unknown ||= opaque || (kind !== "r" && kind !== "p");
      this.deferred ||= deferred;
      this.rowGates ||= rowGates;
      for (const sequence of member.sequences) this.writes.add(sequence);
      for (const trigger of member.triggers) this.#enterLater(this.#catalog.routine(trigger));
      for (const expression of member.expressions) this.text(expression);
      for (const key of this.#catalog.foreignKeys) {
        if (key.child === oid && how !== "delete") this.#share(key.parent);
        if (key.parent !== oid || how === "insert") continue;
        this.#follow(key.child, how === "delete" ? key.onDelete : key.onUpdate, how);
      }
    }
  }

  /** What a foreign key does to a child whose parent is changed. */
  #follow(child: number, action: string, how: Write): void {
    this.#share(child);
    const relation = this.#catalog.relation(child);
    if (relation === undefined || action === "a" || action === "r") return;
    this.#write(relation, action === "c" ? how : "update");
  }

  #share(oid: number): void {
    const object = this.#catalog.relation(oid)?.object;
    if (object === undefined) this.unknown = true;
    else this.shares.add(object);
  }

  #call(call: FunctionCall): void {
    const { name, operator, constants } = call;
    const own = operator ? this.#catalog.operatorsNamed(name) : this.#catalog.routinesNamed(name);
    for (const routine of own) this.#enterLater(routine);
    if (operator) return;
    const volatility = this.#catalog.builtin.get(name);
    if (volatility === undefined) this.unknown ||= own.length === 0;
    else if (name === "nextval" || name === "setval") this.#sequence(constants[0]);
    else if (name === "pg_advisory_unlock_all") this.writes.add(ADVISORY_LOCKS);
    else if (ADVISORY.test(name)) this.#advisory(constants);
    else if (volatility === "v") this.unknown ||= !HARMLESS.has(name);
    else if (volatility === "s") this.unknown ||= REVEALING.test(name) && !HARMLESS.has(name);
  }

  #enterLater(routine: Routine | undefined): void {
    if (routine === undefined) this.unknown = true;
    else this.calls.add(routine);
  }

  #sequence(name: string | undefined): void {
    const last = name?.split(".").at(-1)?.replaceAll('"', "") ?? "";
    const found = this.#catalog.relationsNamed(last).filter(({ kind }) => kind === "S");
    this.unknown ||= found.length === 0;
    for (const { object } of found) this.writes.add(object);
  }

  /** A key that is not known may be any; shared locks are taken for others. */
  #advisory(key: readonly (string | undefined)[]): void {
    if (!key.every((part) => part !== undefined && /^(0|[1-9]\d*)$/.test(part))) {
      this.writes.add(ADVISORY_LOCKS);
    } else {
      this.shares.add(ADVISORY_LOCKS);
      this.writes.add(`advisory lock ${key.join(", ")}`);
    }
  }
}
