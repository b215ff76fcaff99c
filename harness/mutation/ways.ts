import type { Command } from "../core/command.ts";
import type { Execution } from "../core/execution.ts";
import type { Json } from "../core/json.ts";
import type { Scenario } from "../core/scenario.ts";
import type { Executor } from "../execution/executor.ts";
import type { Pair, Subject } from "../explorer/subject.ts";
import { Exhaustive } from "../scheduler/exhaustive.ts";
import { withClient } from "./mutated.ts";

/** What each client of the pairs does when nobody else is there; each once. */
export function alone<State extends Json, C extends Command>(
  pairs: readonly Pair<State, C>[],
): readonly Scenario<State, C>[] {
  const all = pairs.flatMap(({ scenario }) => oneByOne(scenario));
  return [...new Map(all.map((one) => [keyOf(one), one])).values()];
}

function oneByOne<State extends Json, C extends Command>({
  initial,
  clients,
}: Scenario<State, C>): readonly Scenario<State, C>[] {
  return clients.map((commands) => ({ initial, clients: [commands] }));
}

function keyOf(scenario: Scenario): string {
  return JSON.stringify(scenario);
}

/**
 * What each client of a subject's pairs has the database do when nobody else is there: its statements,
 * and the routines that these call, as they are defined. So one sees which of them a change concerns.
 */
export class Ways {
  readonly #routines: ReadonlyMap<string, string>;
  readonly #byScenario = new Map<string, string>();

  /** Those of no client yet. `routines`: definitions by name. */
  constructor(routines: ReadonlyMap<string, string>) {
    this.#routines = routines;
  }

  static async open<State extends Json, C extends Command>(
    executor: Executor<State, C>,
  ): Promise<Ways> {
    return new Ways(await routinesOf(executor.directUrl));
  }

  /** Those of all of them. */
  static async of<State extends Json, C extends Command>(
    executor: Executor<State, C>,
    subject: Subject<State, C>,
  ): Promise<Ways> {
    const ways = await Ways.open(executor);
    for (const scenario of alone(subject.pairs?.() ?? [])) {
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
    const texts = new Set(statements);
    // What is found on the way is looked through too.
    for (const text of texts) {
      for (const word of text.match(/\w+/g) ?? []) {
        const definition = this.#routines.get(word);
        if (definition !== undefined) texts.add(definition);
      }
    }
    this.#byScenario.set(keyOf(scenario), JSON.stringify([statements, ...texts]));
  }

  /** How many clients of a scenario go another way there, among those that both know. */
  differing(scenario: Scenario, other: Ways): number {
    const changed = oneByOne(scenario).filter((one) => {
      const [before, after] = [this, other].map((ways) => ways.#byScenario.get(keyOf(one)));
      return before !== undefined && after !== undefined && before !== after;
    });
    return changed.length;
  }
}

/** Definitions by name, without gates. */
const ROUTINES = `
  select proname as name,
         string_agg(
           regexp_replace(pg_get_functiondef(p.oid), 'IF heddle\\.gate\\(\\d+\\) THEN END IF; ', '', 'g'),
           ' ' order by p.oid) as definition
    from pg_proc p
    join pg_namespace n on n.oid = pronamespace
   where prokind in ('f', 'p')
     and nspname !~ '^(pg_.*|information_schema|heddle)$'
     and not exists (select from pg_depend
                      where classid = 'pg_proc'::regclass and objid = p.oid and deptype = 'e')
   group by proname`;

async function routinesOf(url: string): Promise<ReadonlyMap<string, string>> {
  const { rows } = await withClient(url, (client) =>
    client.query<{ name: string; definition: string }>(ROUTINES),
  );
  return new Map(rows.map(({ name, definition }) => [name, definition]));
}
