import type { Touched } from "../core/footprint.ts";
import { PRIVATE_FUNCTIONS } from "../instrumentation/gate-positions.ts";
import { type FunctionCall, type Names, namesIn, type Write } from "../parser/names.ts";
import type { Catalog, Relation, Routine } from "./catalog.ts";

/** Functions of the server, stable or volatile, that tell a session about itself. */
const OWN_STATE = new Set([
  ...["pg_typeof", "pg_backend_pid", "version", "current_setting", "set_config"],
  ...["current_database", "current_catalog", "current_schema", "current_schemas"],
]);

/** Functions of the server, volatile or stable, that touch nothing. */
const TOUCHES_NOTHING = new Set([...PRIVATE_FUNCTIONS, ...OWN_STATE]);

/** Those of them, and stable ones, that read the clock as it is then; identifiers of version 7 begin with the time. */
const READS_CLOCK = new Set(["clock_timestamp", "timeofday", "statement_timestamp", "uuidv7"]);

/** Functions of the server with the time at which the transaction began. */
const READS_START = new Set(["now", "transaction_timestamp"]);

/** Stable functions of the server that read other state than the committed rows of their arguments. */
const READS_SERVER_STATE = /^(pg_|txid_|currtid)|xml/;

/** Functions that read transaction numbers or which transactions run; `age` does for one argument. */
const READS_TRANSACTION_NUMBERS =
  /^(txid_|mxid_age|pg_(current_)?(xact|snapshot|visible|get_multi))/;

/** The name in footprints that stands for the server's counter of transactions. */
export const TRANSACTION_NUMBERS = "transaction numbers";

/** Whether no other session notices that a setting of this name changes, nor its own transactions do. */
function setsPrivately(name: string | undefined): boolean {
  return name !== undefined && !/transaction|session|role/i.test(name);
}

/** Whether a call sets a parameter for longer than its transaction. */
function setsForSession(name: string, [, , local]: FunctionCall["constants"]): boolean {
  return name === "set_config" && !/^(t|true|on|yes|1)$/i.test(local ?? "");
}

const ADVISORY = /^pg_(try_)?advisory_(xact_)?(un)?lock(_shared)?$/;

/**
 * Functions of the server that change what a session keeps after its transaction. Each use of a sequence does so
 * too, which matters only where that value is read.
 */
const CHANGES_SESSION = /^(pg_(try_)?advisory_lock(_shared)?|setseed|currval|lastval)$/;

/** The name in footprints that stands for all advisory locks: each of them is shared under it. */
const ADVISORY_LOCKS = "advisory locks";

/** Whether a name in a footprint is that of an advisory lock. */
export const isAdvisory = (object: string): boolean => object.startsWith("advisory lock");

/**
 * Collects what SQL texts may touch: the objects that they name, and those that these lead to by
 * triggers, foreign keys, views and expressions. A name stands for the relations and routines of
 * all schemas that are called so. Routines that the texts call are collected in `calls`; what they
 * touch is added by `enterCalls`.
 */
export class FootprintBuilder implements Touched {
  readonly reads = new Set<string>();
  readonly shares = new Set<string>();
  readonly writes = new Set<string>();
  readonly calls = new Set<Routine>();
  /** Whether anything may be touched, because a text could not be understood. */
  unknown = false;
  /** Whether rows or sequences may be changed, as opposed to locked. */
  changes = false;
  /** Whether transaction numbers are read, whose order depends on every transaction that writes. */
  readsNumbers = false;
  /** Whether a constraint or trigger may run at the end of the transaction. */
  deferred = false;
  /** Whether the clock, or something else that no name stands for, is read. */
  readsElse = false;
  /** Whether the time is read at which the transaction began. */
  readsStart = false;
  /** Whether the clock is read as it is then. */
  readsClock = false;
  /** Whether it changes what its session keeps after the transaction. */
  changesSession = false;
  /** Whether it reads a parameter of its session. */
  readsSession = false;
  /** Whether a table is written that has gates in Heddle's triggers. */
  writesGated = false;
  readonly #catalog: Catalog;
  readonly #writesSeen = new Set<string>();

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  addText(sql: string): this {
    this.#addNames(namesIn(sql), false);
    return this;
  }

  /** Adds what the routines in `calls` touch, and the routines that they call in turn. */
  enterCalls(): this {
    // The loop also visits the routines that it adds to the set.
    for (const routine of this.calls) this.#addBody(routine);
    return this;
  }

  #addBody({ body }: Routine): void {
    if (body === "nothing") return;
    if (body === "unknown") {
      this.unknown = true;
      return;
    }
    for (const { texts, unknown } of [body.ungated, ...body.gated.values()]) {
      this.unknown ||= unknown;
      for (const text of texts) this.addText(text);
    }
  }

  /** `locked`: whether the rows that are read get locked. */
  #addNames(names: Names, locked: boolean): void {
    this.unknown ||= names.unknown;
    this.readsElse ||= names.clock;
    this.readsStart ||= names.clock;
    this.changesSession ||= names.changesSession;
    if (names.transactionNumbers) this.#addNumbers();
    const defined = new Set(names.defined);
    for (const name of names.reads) this.#addRead(name, defined, locked || names.locks);
    for (const { table, how } of names.writes) {
      const relations = this.#catalog.relationsNamed(table);
      this.unknown ||= relations.length === 0;
      for (const relation of relations) this.#addWrite(relation, how);
    }
    for (const call of names.calls) this.#addCall(call);
    for (const name of names.attributes) {
      const isFunction =
        this.#catalog.builtin.has(name) || this.#catalog.routinesNamed(name).length > 0;
      if (isFunction) this.#addCall({ name, operator: false, constants: [undefined] });
    }
  }

  #addRead(name: string, defined: ReadonlySet<string>, locked: boolean): void {
    const relations = this.#catalog.relationsNamed(name);
    if (relations.length === 0 && !defined.has(name) && !this.#catalog.transitions.has(name)) {
      this.unknown = true;
    }
    for (const relation of relations) {
      const { object, kind, opaque, query } = relation;
      this.unknown ||= opaque || this.#catalog.hierarchyOf(relation).some((it) => it.kind === "f");
      if (query !== undefined) this.#addNames(namesIn(query), locked);
      // A sequence shows its last value at once, whether or not the transaction commits.
      else if (locked || kind === "S") this.writes.add(object);
      else this.reads.add(object);
    }
  }

  #addWrite(relation: Relation, how: Write): void {
    const seen = `${relation.object} ${how}`;
    if (this.#writesSeen.has(seen)) return;
    this.#writesSeen.add(seen);
    this.changes = true;
    this.writes.add(relation.object);
    const members = this.#catalog.hierarchyOf(relation);
    // An UPDATE may move a row to another partition: it deletes the row of a partition that keys may reference.
    if (how === "update" && members.length > 1) this.#addWrite(relation, "delete");
    for (const member of members) {
      const { kind, opaque, deferred, gated, oid } = member;
      this.unknown ||= opaque || (kind !== "r" && kind !== "p");
      this.deferred ||= deferred;
      this.writesGated ||= gated;
      for (const sequence of member.sequences) this.writes.add(sequence);
      for (const trigger of member.triggers) this.#addRoutine(this.#catalog.routine(trigger));
      for (const expression of member.expressions) this.addText(expression);
      for (const key of this.#catalog.foreignKeys) {
        if (key.child === oid && how !== "delete") this.#addShare(key.parent);
        if (key.parent !== oid || how === "insert") continue;
        this.#addReferencing(key.child, how === "delete" ? key.onDelete : key.onUpdate, how);
      }
    }
  }

  /** Adds what a foreign key does to a referencing table when a referenced row changes. */
  #addReferencing(child: number, action: string, how: Write): void {
    this.#addShare(child);
    const relation = this.#catalog.relation(child);
    if (relation === undefined || action === "a" || action === "r") return;
    this.#addWrite(relation, action === "c" ? how : "update");
  }

  #addShare(oid: number): void {
    const object = this.#catalog.relation(oid)?.object;
    if (object === undefined) this.unknown = true;
    else this.shares.add(object);
  }

  #addCall({ name, operator, constants }: FunctionCall): void {
    const routines = operator
      ? this.#catalog.operatorsNamed(name)
      : this.#catalog.routinesNamed(name);
    for (const routine of routines) this.#addRoutine(routine);
    if (operator) return;
    const age = name === "age" && constants.length === 1;
    if (age || READS_TRANSACTION_NUMBERS.test(name)) this.#addNumbers();
    const volatility = this.#catalog.builtin.get(name);
    if (volatility === undefined) this.unknown ||= routines.length === 0;
    else if (name === "nextval" || name === "setval") this.#addSequence(constants[0]);
    else if (name === "pg_advisory_unlock_all") this.writes.add(ADVISORY_LOCKS);
    else if (ADVISORY.test(name)) this.#addAdvisoryLock(constants);
    else if (name === "set_config") this.unknown ||= !setsPrivately(constants[0]);
    else if (volatility === "v") this.unknown ||= !TOUCHES_NOTHING.has(name);
    else if (volatility === "s") {
      this.unknown ||= READS_SERVER_STATE.test(name) && !TOUCHES_NOTHING.has(name);
    }
    this.readsStart ||= READS_START.has(name);
    this.readsClock ||= READS_CLOCK.has(name);
    this.changesSession ||= CHANGES_SESSION.test(name) || setsForSession(name, constants);
    this.readsSession ||= name === "current_setting";
    this.readsElse ||= READS_CLOCK.has(name) || (volatility === "s" && !OWN_STATE.has(name));
  }

  #addNumbers(): void {
    this.unknown = true;
    this.readsNumbers = true;
  }

  #addRoutine(routine: Routine | undefined): void {
    if (routine === undefined) this.unknown = true;
    else this.calls.add(routine);
  }

  #addSequence(name: string | undefined): void {
    this.changes = true;
    const last = name?.split(".").at(-1)?.replaceAll('"', "") ?? "";
    const sequences = this.#catalog.relationsNamed(last).filter(({ kind }) => kind === "S");
    this.unknown ||= sequences.length === 0;
    for (const { object } of sequences) this.writes.add(object);
  }

  /** A key that is not constant may be any key. Shared locks count as exclusive ones. */
  #addAdvisoryLock(key: readonly (string | undefined)[]): void {
    if (!key.every((part) => part !== undefined && /^(0|[1-9]\d*)$/.test(part))) {
      this.writes.add(ADVISORY_LOCKS);
    } else {
      this.shares.add(ADVISORY_LOCKS);
      this.writes.add(`advisory lock ${key.join(", ")}`);
    }
  }
}
