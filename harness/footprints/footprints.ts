import { ISOLATIONS, type Isolation } from "../core/control.ts";
import { isNothing, joined, NOTHING, type Touched } from "../core/footprint.ts";
import { defaultIsolations } from "../instrumentation/default-isolation.ts";
import type { WireGates } from "../instrumentation/gate-kind.ts";
import { namesIn } from "../parser/names.ts";
import { isParseNode, parseStatements } from "../parser/sql.ts";
import { controlConnection } from "../postgres/connection.ts";
import { type Catalog, type Routine, readCatalog } from "./catalog.ts";
import { FootprintBuilder, TRANSACTION_NUMBERS } from "./footprint-builder.ts";
import { controlOf, mayAlterSchema, type TransactionControl } from "./transaction-control.ts";
import { type UnnoticedStart, unnoticedStart } from "./unnoticed-start.ts";

/** What a request may touch, step by step. */
export interface RequestFootprint {
  readonly control: TransactionControl;
  /**
   * What a step may touch: the one that starts at the gate with this number, or the first one of
   * the request if `place` is undefined. The result is undefined if anything may be touched.
   */
  at(place: number | undefined): Touched | undefined;
  /** Whether the request certainly reads everything in a single step. */
  readonly singleStep: boolean;
  /**
   * Whether a routine may catch an error and continue: PostgreSQL then releases the locks that the
   * block took (https://www.postgresql.org/docs/current/explicit-locking.html).
   */
  readonly catches: boolean;
  /** Whether a constraint or trigger may run at the end of the transaction. */
  readonly deferred: boolean;
  /** Whether it may change rows or sequences, as opposed to lock them. */
  readonly changes: boolean;
  /**
   * Of a query that touches nothing which sessions share, in any of its steps: whether it may fail.
   * Undefined for every other request.
   */
  readonly unshared: "safe" | "fallible" | undefined;
  /** Whether the request may change the schema. */
  readonly alters: boolean;
  /** How far it gets, at READ COMMITTED, before other sessions can notice it. */
  readonly unnoticed: UnnoticedStart;
  /** Whether it may read the time at which its transaction began, in any of its steps. */
  readonly readsStart: boolean;
  /** Whether the step from a place on (see `at`) may read the clock; without a place: whether any step may. */
  readsClock(place?: number): boolean;
  /** Whether it may change what its session keeps after the transaction, such as a parameter, or read a parameter. */
  readonly ofSession: "changes" | "reads" | undefined;
}

/** Derives what requests may touch from their text and the schema. */
export interface Footprints {
  /** The strictest isolation level of transactions that do not set their own. */
  readonly isolation: Isolation;
  /** The same, for sessions that have not set their own. It does not change. */
  readonly defaultIsolation: Isolation;
  /** The weakest of these: another role may have another default. */
  readonly weakestDefault: Isolation;
  /** Whether a request may have changed the schema: from then on no footprint is valid. */
  readonly stale: boolean;
  /** Changes when a request has shown that the footprints of others were too small. */
  readonly revision: number;
  /** Whether a transaction that writes stands at a gate before its commit. */
  readonly holdsCommits: boolean;
  of(sql: string): RequestFootprint;
  /** What the gate of that number stands after or before, as far as that is known. */
  gateAt(place: number): "snapshot" | "row" | "commit" | undefined;
}

/**
 * Reads the schema once. Its gates must already be installed, and it must not change afterwards.
 * The isolation level is the given one, or the strictest default of the server if that is stricter.
 *
 * @throws HarnessError CONNECTION_LOST when the server cannot be reached.
 */
export async function readFootprints(
  directUrl: string,
  isolation: Isolation,
  wire: WireGates = {},
): Promise<Footprints> {
  const client = await controlConnection(directUrl, "heddle footprints");
  try {
    const candidates = [isolation, ...(await defaultIsolations(client))];
    const isolations = ISOLATIONS.filter((it) => candidates.includes(it));
    return new SchemaFootprints(await readCatalog(client), isolations, wire);
  } finally {
    await client.end();
  }
}

class SchemaFootprints implements Footprints {
  isolation: Isolation;
  readonly defaultIsolation: Isolation;
  readonly weakestDefault: Isolation;
  stale = false;
  revision = 0;
  readonly #catalog: Catalog;
  readonly #wire: WireGates;
  #numbersRead = false;
  readonly #requests = new Map<string, RequestFootprint>();
  /** What casts and domains touch. It belongs to every query: a text does not show its casts. */
  readonly #ambient: FootprintBuilder;

  /** @param isolations all that a transaction may have by default, the strictest last */
  constructor(catalog: Catalog, isolations: readonly Isolation[], wire: WireGates) {
    this.#catalog = catalog;
    this.#wire = wire;
    this.defaultIsolation = isolations.at(-1) ?? "serializable";
    this.weakestDefault = isolations[0] ?? "read committed";
    this.isolation = this.defaultIsolation;
    this.#ambient = new FootprintBuilder(catalog);
    for (const expression of catalog.ambient.expressions) this.#ambient.addText(expression);
    for (const routine of catalog.ambient.routines) this.#ambient.calls.add(routine);
    this.#ambient.enterCalls();
  }

  get holdsCommits(): boolean {
    return this.#wire.commit !== undefined;
  }

  gateAt(place: number): "snapshot" | "row" | "commit" | undefined {
    const { snapshot, written, commit } = this.#wire;
    const isOf = (gates: { readonly place: number; readonly last: number } | undefined) =>
      gates !== undefined && place >= gates.place && place <= gates.last;
    if (place === commit?.place) return "commit";
    if (isOf(written)) return "row";
    return isOf(snapshot) ? "snapshot" : undefined;
  }

  of(sql: string): RequestFootprint {
    const cached = this.#requests.get(sql);
    if (cached !== undefined) return cached;
    const control = controlOf(sql);
    // Which session has set its isolation level, and until when, is not tracked: it counts for all.
    if (control.type === "private" && control.isolates === "session") {
      this.isolation = "serializable";
    }
    const alters = mayAlterSchema(sql);
    const request =
      control.type === "query"
        ? this.#query(sql, control, alters)
        : this.#notQuery(sql, control, alters);
    this.stale ||= request.alters;
    this.#requests.set(sql, request);
    return request;
  }

  #query(sql: string, control: TransactionControl, altersItself: boolean): RequestFootprint {
    const full = new FootprintBuilder(this.#catalog).addText(sql).enterCalls();
    const everything = touchedBy(full, this.#ambient);
    const calls = [...full.calls, ...this.#ambient.calls];
    const alters = altersItself || calls.some((routine) => routine.alters);
    if (full.readsNumbers && !this.#numbersRead) {
      this.#numbersRead = true;
      this.revision++;
    }
    const isUnshared = !alters && !full.readsElse && !!everything && isNothing(everything);
    const steps = isNothing(this.#ambient) && !full.unknown ? this.#stepsOf(sql) : undefined;
    const deferred = full.deferred || this.#ambient.deferred;
    const readsClock = full.readsClock || this.#ambient.readsClock;
    const commit = everything && !deferred ? this.#wire.commit?.place : undefined;
    return {
      control,
      at: (place) => {
        // Nothing is left but the commit: a routine that commits is unknown, and may go on after it.
        if (place !== undefined && place === commit) return NOTHING;
        return this.#withNumber(touchedBy(...(steps?.(place) ?? [full, this.#ambient])));
      },
      singleStep:
        !this.#isHeldOnWire(sql) &&
        !full.unknown &&
        !full.writesGated &&
        [...full.calls].every((it) => !hasGates(it)),
      deferred,
      changes: full.unknown || full.changes || this.#ambient.unknown || this.#ambient.changes,
      catches: calls.some(mayCatch),
      unshared: isUnshared ? (namesIn(sql).constant ? "safe" : "fallible") : undefined,
      alters,
      unnoticed: alters ? undefined : unnoticedStart(sql, full, this.#ambient, this.#catalog),
      readsStart:
        full.readsStart || this.#ambient.readsStart || (full.unknown && this.#catalog.readsStart),
      readsClock: (place) => {
        if (!readsClock || place === undefined) return readsClock;
        if (place === commit || steps === undefined) return place !== commit;
        return steps(place)?.some((step) => step.readsClock) ?? true;
      },
      ofSession:
        full.changesSession || calls.some((it) => it.changesSession)
          ? "changes"
          : full.readsSession
            ? "reads"
            : undefined,
    };
  }

  /** The footprint of a request that touches nothing by itself, or anything if it is unknown. */
  #notQuery(sql: string, control: TransactionControl, alters: boolean): RequestFootprint {
    const isUnknown = control.type === "unknown";
    const touched = isUnknown ? undefined : NOTHING;
    return {
      ...{ control, at: () => touched, singleStep: true, deferred: false, catches: true },
      ...{ changes: isUnknown, unshared: undefined, alters, unnoticed: undefined },
      ...{ readsStart: isUnknown && this.#catalog.readsStart, readsClock: () => isUnknown },
      ofSession: namesIn(sql).changesSession
        ? "changes"
        : readsParameter(sql)
          ? "reads"
          : undefined,
    };
  }

  /** Whether the proxy may hold a request with this text before it has read everything. */
  #isHeldOnWire(sql: string): boolean {
    const { snapshot, message, tables, rows } = this.#wire;
    if (snapshot?.holds(sql) || (rows?.most(sql) ?? 0) > 1) return true;
    if (tables !== undefined && tables.before(sql).length > 0) return true;
    return message !== undefined && (parseStatements(sql)?.length ?? 2) > 1;
  }

  /**
   * A transaction gets its number with its first write. Once a request has read such numbers, their
   * order counts, and writes depend on one another whatever they write.
   */
  #withNumber(touched: Touched | undefined): Touched | undefined {
    if (!this.#numbersRead || touched === undefined) return touched;
    if (touched.writes.size + touched.shares.size === 0) return touched;
    return joined(touched, { ...NOTHING, writes: new Set([TRANSACTION_NUMBERS]) });
  }

  /**
   * What each step touches of a text that touches nothing itself but calls routines with gates.
   * Undefined if the steps cannot be distinguished. A routine called within something that touches
   * shared state (by a trigger of a written table, or in a query over a table) returns into the
   * middle of that, so each of its steps may touch everything that the request touches.
   */
  #stepsOf(sql: string) {
    const direct = new FootprintBuilder(this.#catalog).addText(sql);
    if (!isNothing(direct)) return undefined;
    /** What may be touched in every step, because no gate precedes it. */
    const ungated = new FootprintBuilder(this.#catalog);
    for (const routine of direct.calls) ungated.calls.add(routine);
    const calledWithinSteps = new Set<Routine>();
    const gated = new Map<number, { readonly of: Routine; readonly step: FootprintBuilder }>();
    // The loop also visits the routines that the ungated texts add to the set.
    for (const routine of ungated.calls) {
      if (typeof routine.body === "string") continue;
      if (routine.body.resumesQueries) return undefined;
      for (const text of routine.body.ungated.texts) ungated.addText(text);
      for (const [place, { texts }] of routine.body.gated) {
        const step = new FootprintBuilder(this.#catalog);
        for (const text of texts) step.addText(text);
        for (const called of step.enterCalls().calls) calledWithinSteps.add(called);
        gated.set(place, { of: routine, step });
      }
    }
    // Undefined for a step that may touch everything that the request touches.
    return (place: number | undefined): readonly FootprintBuilder[] | undefined => {
      if (place === undefined) return [ungated];
      const at = gated.get(place);
      return at === undefined || calledWithinSteps.has(at.of) ? undefined : [at.step, ungated];
    };
  }
}

function hasGates({ body }: Routine): boolean {
  return typeof body !== "string" && body.gated.size > 0;
}

function mayCatch({ body }: Routine): boolean {
  return body === "unknown" || (body !== "nothing" && body.catches);
}

/** Whether a text shows a parameter that can be set. */
function readsParameter(sql: string): boolean {
  return (
    parseStatements(sql)?.some(
      ({ VariableShowStmt }) =>
        isParseNode(VariableShowStmt) && !/^server_/.test(String(VariableShowStmt["name"])),
    ) ?? false
  );
}

function touchedBy(...builders: readonly FootprintBuilder[]): Touched | undefined {
  return builders.some(({ unknown }) => unknown) ? undefined : joined(...builders);
}
