import { Client } from "pg";
import { ISOLATIONS, type Isolation } from "../core/control.ts";
import { connectionLost } from "../core/error.ts";
import { isNothing, joined, NOTHING, type Touched } from "../core/footprint.ts";
import { type Catalog, type Routine, readCatalog } from "./catalog.ts";
import { FootprintBuilder } from "./footprint-builder.ts";
import { controlOf, mayAlter, type TransactionControl } from "./names.ts";

/** What a request may touch, step by step. */
export interface RequestFootprint {
  readonly control: TransactionControl;
  /**
   * What the step may touch that begins at that place inside the server, or with the request
   * itself; undefined when nobody can tell.
   */
  at(place: number | undefined): Touched | undefined;
  /** It is certainly a single step. */
  readonly whole: boolean;
  /** A routine may undo a part of what it did, which lets go of locks, and go on. */
  readonly catches: boolean;
  /** Something may be checked or done at the end of the transaction only. */
  readonly deferred: boolean;
}

/** Says what requests may touch, from their text and the schema. */
export interface Footprints {
  /** The strictest one of transactions that do not say their own. */
  readonly isolation: Isolation;
  /** A request was seen that may change the schema: from then on, nothing is known. */
  readonly stale: boolean;
  of(sql: string): RequestFootprint;
}

/** The isolation of transactions here: the server's, and that of some role, or of this database. */
const DEFAULTS = `
select current_setting('default_transaction_isolation') as isolation
union all
select substring(setting from '^default_transaction_isolation=(.*)')
  from pg_db_role_setting, unnest(setconfig) as setting
 where setdatabase in (0, (select oid from pg_database where datname = current_database()))`;

/**
 * Reads the schema once; it must not change afterwards, and gates have to be in it by then. Where the
 * server has a stricter isolation than the given one, that counts.
 */
export async function readFootprints(directUrl: string, isolation: Isolation): Promise<Footprints> {
  const client = new Client({ connectionString: directUrl, application_name: "heddle footprints" });
  client.on("error", () => {});
  await client.connect().catch((error: Error) => {
    throw connectionLost(error.message);
  });
  try {
    const { rows } = await client.query<{ isolation: string | null }>(DEFAULTS);
    const given = [isolation, ...rows.map((row) => row.isolation)];
    const strictest = ISOLATIONS.findLast((it) => given.includes(it)) ?? isolation;
    return new SchemaFootprints(await readCatalog(client), strictest);
  } finally {
    await client.end();
  }
}

class SchemaFootprints implements Footprints {
  isolation: Isolation;
  stale = false;
  readonly #catalog: Catalog;
  readonly #known = new Map<string, RequestFootprint>();
  /** What may happen in any query: casts and domains are not told from their texts. */
  readonly #ambient: FootprintBuilder;

  constructor(catalog: Catalog, isolation: Isolation) {
    this.#catalog = catalog;
    this.isolation = isolation;
    this.#ambient = new FootprintBuilder(catalog);
    for (const expression of catalog.ambient.expressions) this.#ambient.text(expression);
    for (const routine of catalog.ambient.routines) this.#ambient.calls.add(routine);
    this.#ambient.enter();
  }

  of(sql: string): RequestFootprint {
    const known = this.#known.get(sql);
    if (known !== undefined) return known;
    const control = controlOf(sql);
    // From now on for all: which session it was, and for how long, is not followed.
    if (control.type === "private" && control.isolates === "session") {
      this.isolation = "serializable";
    }
    const found = control.type === "query" ? this.#query(sql, control) : outside(control);
    this.stale ||= mayAlter(sql);
    this.#known.set(sql, found);
    return found;
  }

  #query(sql: string, control: TransactionControl): RequestFootprint {
    const full = new FootprintBuilder(this.#catalog).text(sql).enter();
    const everything = touchedBy(full, this.#ambient);
    const calls = [...full.calls, ...this.#ambient.calls];
    this.stale ||= calls.some(({ alters }) => alters);
    const inside = isNothing(this.#ambient) && !full.unknown ? this.#inside(sql) : undefined;
    return {
      control,
      at: (place) => (inside === undefined ? everything : inside(place, everything)),
      whole: !full.unknown && !full.rowGates && [...full.calls].every((it) => !isGated(it)),
      deferred: full.deferred || this.#ambient.deferred,
      catches: calls.some(mayCatch),
    };
  }

  /**
   * Tells the steps apart of a text that touches nothing itself, but calls routines with gates in
   * them. A routine that is called by something that does touch (a trigger of what is written, a
   * function in a query over a table) returns into the middle of that: its steps are the whole.
   */
  #inside(sql: string) {
    const direct = new FootprintBuilder(this.#catalog).text(sql);
    if (!isNothing(direct)) return undefined;
    const between = new FootprintBuilder(this.#catalog);
    for (const routine of direct.calls) between.calls.add(routine);
    const nested = new Set<Routine>();
    const places = new Map<number, { readonly of: Routine; readonly part: FootprintBuilder }>();
    // What the parts without gates call is visited too.
    for (const routine of between.calls) {
      if (typeof routine.body === "string") continue;
      if (routine.body.lingers) return undefined;
      for (const text of routine.body.free.texts) between.text(text);
      for (const [place, { texts }] of routine.body.gated) {
        const part = new FootprintBuilder(this.#catalog);
        for (const text of texts) part.text(text);
        for (const called of part.enter().calls) nested.add(called);
        places.set(place, { of: routine, part });
      }
    }
    return (place: number | undefined, everything: Touched | undefined) => {
      if (place === undefined) return touchedBy(between);
      const known = places.get(place);
      return known === undefined || nested.has(known.of)
        ? everything
        : touchedBy(known.part, between);
    };
  }
}

function isGated({ body }: Routine): boolean {
  return typeof body !== "string" && body.gated.size > 0;
}

function mayCatch({ body }: Routine): boolean {
  return body === "unknown" || (body !== "nothing" && body.catches);
}

/** A request that touches nothing by itself. */
function outside(control: TransactionControl): RequestFootprint {
  const touched = control.type === "unknown" ? undefined : NOTHING;
  return { control, at: () => touched, whole: true, deferred: false, catches: true };
}

function touchedBy(...closures: readonly FootprintBuilder[]): Touched | undefined {
  return closures.some(({ unknown }) => unknown) ? undefined : joined(...closures);
}
