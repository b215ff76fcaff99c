import type { Execution } from "../core/execution.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Scenario } from "../core/scenario.ts";
import type { Executor } from "../execution/executor.ts";
import { withClient } from "../postgres/connection.ts";
import { Exhaustive } from "../scheduler/exhaustive.ts";
import type { Pair, Service } from "../service/service.ts";

/** What each client of the pairs does when nobody else is there; each once. */
export function alone<State extends Json, Op extends Operation>(
  pairs: readonly Pair<State, Op>[],
): readonly Scenario<State, Op>[] {
  const all = pairs.flatMap(({ scenario }) => oneByOne(scenario));
  return [...new Map(all.map((one) => [keyOf(one), one])).values()];
}

function oneByOne<State extends Json, Op extends Operation>({
  initial,
  clients,
}: Scenario<State, Op>): readonly Scenario<State, Op>[] {
  return clients.map((operations) => ({ initial, clients: [operations] }));
}

function keyOf(scenario: Scenario): string {
  return JSON.stringify(scenario);
}

/**
 * What each client of a service's pairs has the database do when nobody else is there: its statements,
 * and the routines and tables that these name, as they are defined. So one sees which of them a change
 * concerns.
 */
export class Ways {
  readonly #definitions: ReadonlyMap<string, string>;
  /** Statements, by scenario. */
  readonly #statements = new Map<string, readonly string[]>();
  /** What these name, as far as it was asked for. */
  readonly #named = new Map<string, readonly string[]>();

  /** Those of no client yet. `definitions`: of routines and tables, by name. */
  constructor(definitions: ReadonlyMap<string, string>) {
    this.#definitions = definitions;
  }

  static async open<State extends Json, Op extends Operation>(
    executor: Executor<State, Op>,
  ): Promise<Ways> {
    return new Ways(await definitionsOf(executor.directUrl));
  }

  /** Those of all of them. */
  static async of<State extends Json, Op extends Operation>(
    executor: Executor<State, Op>,
    service: Service<State, Op>,
  ): Promise<Ways> {
    const ways = await Ways.open(executor);
    for (const scenario of alone(service.pairs?.() ?? [])) {
      const scheduler = new Exhaustive(0);
      scheduler.begin();
      ways.add(await executor.execute(scenario, scheduler));
    }
    return ways;
  }

  add({ scenario, trace }: Execution): void {
    const statements = trace.flatMap((event) =>
      event.type === "statement" ? [event.statement.sql] : [],
    );
    this.#statements.set(keyOf(scenario), statements);
  }

  /**
   * How many clients of a scenario go another way there. Those of whom it is not known there send what
   * they send here.
   */
  differing(scenario: Scenario, other: Ways): number {
    const changed = this.#changedIn(other);
    return oneByOne(scenario).filter((one) => {
      const key = keyOf(one);
      const before = this.#statements.get(key) ?? [];
      const after = other.#statements.get(key) ?? before;
      return String(before) !== String(after) || this.#namedBy(key).some((it) => changed.has(it));
    }).length;
  }

  /** Names that stand for something else there, or for nothing. */
  #changedIn(other: Ways): ReadonlySet<string> {
    const names = new Set([...this.#definitions.keys(), ...other.#definitions.keys()]);
    const same = (name: string) => this.#definitions.get(name) === other.#definitions.get(name);
    return new Set([...names].filter((name) => !same(name)));
  }

  /** What the statements of a scenario name, and what that does. */
  #namedBy(key: string): readonly string[] {
    const known = this.#named.get(key);
    if (known !== undefined) return known;
    const names = new Set<string>();
    const texts = new Set(this.#statements.get(key));
    // What is found on the way is looked through too.
    for (const text of texts) {
      for (const word of text.match(/\w+/g) ?? []) {
        const definition = this.#definitions.get(word);
        if (definition === undefined) continue;
        names.add(word);
        texts.add(definition);
      }
    }
    this.#named.set(key, [...names]);
    return [...names];
  }
}

const OURS = "nspname !~ '^(pg_.*|information_schema|heddle)$'";

/**
 * Routines, without gates, and tables: these by their constraints, indexes and triggers. Names that
 * several have stand for all of these.
 */
const DEFINITIONS = `
  with named(name, definition) as (
    select proname,
           regexp_replace(pg_get_functiondef(p.oid), 'IF heddle\\.gate\\(\\d+\\) THEN END IF; ', '', 'g')
      from pg_proc p join pg_namespace n on n.oid = pronamespace
     where ${OURS} and prokind in ('f', 'p')
       and not exists (select from pg_depend
                        where classid = 'pg_proc'::regclass and objid = p.oid and deptype = 'e')
    union all
    select relname, pg_get_constraintdef(c.oid)
      from pg_constraint c join pg_class t on t.oid = conrelid
      join pg_namespace n on n.oid = relnamespace where ${OURS}
    union all
    select relname, pg_get_indexdef(indexrelid)
      from pg_index join pg_class t on t.oid = indrelid
      join pg_namespace n on n.oid = relnamespace where ${OURS}
    union all
    select relname, pg_get_triggerdef(g.oid)
      from pg_trigger g join pg_class t on t.oid = tgrelid
      join pg_namespace n on n.oid = relnamespace
     where ${OURS} and not tgisinternal and tgfoid is distinct from to_regprocedure('heddle."row"()')
  )
  select name, string_agg(definition, '; ' order by definition collate "C") as definition
    from named group by name`;

async function definitionsOf(url: string): Promise<ReadonlyMap<string, string>> {
  const { rows } = await withClient(url, (client) =>
    client.query<{ name: string; definition: string }>(DEFINITIONS),
  );
  return new Map(rows.map(({ name, definition }) => [name, definition]));
}
