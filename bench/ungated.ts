import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Client } from "pg";
import type { Execution } from "../harness/core/execution.ts";
import type { Event } from "../harness/core/history.ts";
import type { Json } from "../harness/core/json.ts";
import type { Operation } from "../harness/core/operation.ts";
import type { Scenario } from "../harness/core/scenario.ts";
import { type Task, taskOf } from "../harness/core/schedule.ts";
import { isClean, type Leftovers } from "../harness/execution/observation.ts";
import type { System } from "../harness/execution/system.ts";
import type { Database } from "../harness/postgres/provider.ts";
import type { Server } from "../harness/postgres/server.ts";
import type { Scheduler } from "../harness/scheduler/scheduler.ts";
import type { Service } from "../harness/service/service.ts";

/** After which clients that are not answered are taken to wait for ever. */
const STUCK_MS = 1_000;

const LEFT = `
  select (select count(*)::int from pg_stat_activity
           where datname = current_database() and state like 'idle in transaction%'
         ) as "openTransactions",
         array(select objid::text from pg_locks
                where locktype = 'advisory' and granted
                  and database = (select oid from pg_database where datname = current_database())
         ) as "advisoryLocks"`;

const END_SESSIONS = `
  select pg_terminate_backend(pid) from pg_stat_activity
   where datname = current_database() and pid <> pg_backend_pid()`;

/** A system on a database of its own, with nothing in between: its clients run as they like. */
export class UngatedSystem<State extends Json, Op extends Operation> {
  readonly #server: Server;
  readonly #service: Service<State, Op>;
  readonly #mutant: string | undefined;
  readonly #database: Database;
  readonly #beside: Client;
  #system: System<State, Op>;

  private constructor(
    server: Server,
    service: Service<State, Op>,
    mutant: string | undefined,
    database: Database,
    beside: Client,
    system: System<State, Op>,
  ) {
    this.#server = server;
    this.#service = service;
    this.#mutant = mutant;
    this.#database = database;
    this.#beside = beside;
    this.#system = system;
  }

  static async open<State extends Json, Op extends Operation>(
    server: Server,
    service: Service<State, Op>,
    mutant: string | undefined,
  ): Promise<UngatedSystem<State, Op>> {
    const database = await server.lease();
    await service.migrate(database.url, mutant);
    const beside = new Client({ connectionString: database.url });
    await beside.connect();
    const system = await started(server, service, mutant, database.url);
    return new UngatedSystem(server, service, mutant, database, beside, system);
  }

  /** All clients at once. What is seen of it is what the clients see, and what is left. */
  async stress(scenario: Scenario<State, Op>): Promise<Execution<State, Op>> {
    const events: Event<Op>[] = [];
    await this.#system.reset(scenario.initial);
    const all = scenario.clients.map(async (operations, client) => {
      for (let index = 0; index < operations.length; index++) {
        await this.#perform(scenario, client, index, events);
      }
    });
    return this.#seen(scenario, events, await isStuck(Promise.all(all)));
  }

  /** Whole operations, in the order that a scheduler chooses: for checkers that compare. */
  async inOrder(
    scenario: Scenario<State, Op>,
    scheduler: Scheduler,
  ): Promise<Execution<State, Op>> {
    const events: Event<Op>[] = [];
    const next = scenario.clients.map(() => 0);
    await this.#system.reset(scenario.initial);
    let previous: Task | undefined;
    for (;;) {
      const enabled = scenario.clients.flatMap(({ length }, client) =>
        (next[client] ?? 0) < length ? [{ task: taskOf(client, 0), action: "start" as const }] : [],
      );
      if (enabled.length === 0) return this.#seen(scenario, events, false);
      previous = scheduler.choose(enabled, previous).task;
      const client = Number(previous);
      const index = next[client] ?? 0;
      next[client] = index + 1;
      if (await isStuck(this.#perform(scenario, client, index, events))) {
        return this.#seen(scenario, events, true);
      }
    }
  }

  async #perform(
    { clients }: Scenario<State, Op>,
    client: number,
    index: number,
    events: Event<Op>[],
  ): Promise<void> {
    const operation = clients[client]?.[index];
    if (operation === undefined) return;
    events.push({ type: "invoke", client, index, operation });
    const response = await this.#system.perform(operation, client);
    events.push({ type: "return", client, index, response });
  }

  async #seen(
    scenario: Scenario<State, Op>,
    events: readonly Event<Op>[],
    stuck: boolean,
  ): Promise<Execution<State, Op>> {
    // Of clients that are given up more may be heard.
    const trace = events.slice();
    const left = await this.#left();
    if (stuck || !isClean(left)) await this.#restart();
    return {
      scenario,
      schedule: { version: 1, entries: [] },
      trace,
      ending: stuck
        ? { type: "stuck", waits: "clients that are not answered" }
        : { type: "complete" },
      ...(stuck ? { openTransactions: 0 } : left),
      snapshot: await this.#system.observe(),
      contents: await this.#system.contents?.(),
    };
  }

  async #left(): Promise<Leftovers> {
    const { rows } = await this.#beside.query<Leftovers>(LEFT);
    const connectionsInUse = this.#system.connectionsInUse?.();
    const [sessions = { openTransactions: 0 }] = rows;
    return { ...sessions, ...(connectionsInUse !== undefined && { connectionsInUse }) };
  }

  /** As Heddle does it: otherwise what is left open would be met again. */
  async #restart(): Promise<void> {
    await this.#stop();
    this.#system = await started(this.#server, this.#service, this.#mutant, this.#database.url);
  }

  /** A connection that is never given back would be waited for. */
  async #stop(): Promise<void> {
    const stopped = Promise.race([this.#system.stop(), delay(STUCK_MS, undefined, { ref: false })]);
    await this.#beside.query(END_SESSIONS);
    await stopped;
  }

  async close(): Promise<void> {
    await this.#stop();
    await this.#beside.end();
    await this.#database.drop();
  }
}

async function isStuck(work: Promise<unknown>): Promise<boolean> {
  const given = new AbortController();
  const stuck = delay(STUCK_MS, true, { signal: given.signal }).catch(() => false);
  try {
    return await Promise.race([work.then(() => false), stuck]);
  } finally {
    given.abort();
  }
}

async function started<State extends Json, Op extends Operation>(
  server: Server,
  service: Service<State, Op>,
  mutant: string | undefined,
  url: string,
): Promise<System<State, Op>> {
  const folder = await mkdtemp(join(server.folder, "u"));
  return service.start(
    {
      gatedUrl: url,
      directUrl: url,
      urlFor: async () => url,
      sessionsOf: () => 0,
      listenOn: async () => {},
      folder,
    },
    mutant,
  );
}
