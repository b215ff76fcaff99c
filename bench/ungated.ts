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

/** The time after which clients without an answer count as stuck, in ms. */
const STUCK_MS = 1_000;

const LEFTOVERS = `
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

/** A system on a database of its own, whose clients run without any control. */
export class UngatedSystem<State extends Json, Op extends Operation> {
  readonly #server: Server;
  readonly #service: Service<State, Op>;
  readonly #mutant: string | undefined;
  readonly #database: Database;
  readonly #direct: Client;
  #system: System<State, Op>;

  private constructor(
    server: Server,
    service: Service<State, Op>,
    mutant: string | undefined,
    database: Database,
    direct: Client,
    system: System<State, Op>,
  ) {
    this.#server = server;
    this.#service = service;
    this.#mutant = mutant;
    this.#database = database;
    this.#direct = direct;
    this.#system = system;
  }

  static async open<State extends Json, Op extends Operation>(
    server: Server,
    service: Service<State, Op>,
    mutant: string | undefined,
  ): Promise<UngatedSystem<State, Op>> {
    const database = await server.lease();
    await service.migrate(database.url, mutant);
    const direct = new Client({ connectionString: database.url });
    await direct.connect();
    const system = await started(server, service, mutant, database.url);
    return new UngatedSystem(server, service, mutant, database, direct, system);
  }

  /** Runs all clients concurrently. The trace has only invocations and returns. */
  async stress(scenario: Scenario<State, Op>): Promise<Execution<State, Op>> {
    const events: Event<Op>[] = [];
    await this.#system.reset(scenario.initial);
    const all = scenario.clients.map(async (operations, client) => {
      for (let index = 0; index < operations.length; index++) {
        await this.#perform(scenario, client, index, events);
      }
    });
    return this.#execution(scenario, events, await isStuck(Promise.all(all)));
  }

  /** Runs whole operations in the order that a scheduler chooses, for checkers that compare runs. */
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
      if (enabled.length === 0) return this.#execution(scenario, events, false);
      previous = scheduler.choose(enabled, previous).task;
      const client = Number(previous);
      const index = next[client] ?? 0;
      next[client] = index + 1;
      if (await isStuck(this.#perform(scenario, client, index, events))) {
        return this.#execution(scenario, events, true);
      }
    }
  }

  /** Whether a run has changed what `stress` does not restore, such as the schema. */
  async dirty(): Promise<boolean> {
    return (await this.#system.dirty?.()) ?? false;
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

  async #execution(
    scenario: Scenario<State, Op>,
    events: readonly Event<Op>[],
    stuck: boolean,
  ): Promise<Execution<State, Op>> {
    // Clients that count as stuck may still return later.
    const trace = events.slice();
    const leftovers = await this.#leftovers();
    if (stuck || !isClean(leftovers)) await this.#restart();
    return {
      scenario,
      schedule: { version: 1, entries: [] },
      trace,
      completion: stuck
        ? { type: "stuck", waits: "clients without an answer" }
        : { type: "complete" },
      ...(stuck ? { openTransactions: 0 } : leftovers),
      snapshot: await this.#system.observe(),
      contents: await this.#system.contents?.(),
    };
  }

  async #leftovers(): Promise<Leftovers> {
    const { rows } = await this.#direct.query<Leftovers>(LEFTOVERS);
    const connectionsInUse = this.#system.connectionsInUse?.();
    const [sessions = { openTransactions: 0 }] = rows;
    return { ...sessions, ...(connectionsInUse !== undefined && { connectionsInUse }) };
  }

  /** Starts the system anew, as Heddle does, so that leftovers cannot affect the next scenario. */
  async #restart(): Promise<void> {
    await this.#stop();
    this.#system = await started(this.#server, this.#service, this.#mutant, this.#database.url);
  }

  /** Does not wait longer than STUCK_MS: a system may wait for a connection that is never released. */
  async #stop(): Promise<void> {
    const stopped = Promise.race([this.#system.stop(), delay(STUCK_MS, undefined, { ref: false })]);
    await this.#direct.query(END_SESSIONS);
    await stopped;
  }

  async close(): Promise<void> {
    await this.#stop();
    await this.#direct.end();
    await this.#database.drop();
  }
}

async function isStuck(work: Promise<unknown>): Promise<boolean> {
  const timer = new AbortController();
  const stuck = delay(STUCK_MS, true, { signal: timer.signal }).catch(() => false);
  try {
    return await Promise.race([work.then(() => false), stuck]);
  } finally {
    timer.abort();
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
      isBusy: () => false,
      listenOn: async () => {},
      folder,
    },
    mutant,
  );
}
