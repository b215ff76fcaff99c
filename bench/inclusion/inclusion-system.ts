import type { Duplex } from "node:stream";
import { Client, type ClientConfig, type QueryConfig, type QueryResult } from "pg";
import type { Snapshot } from "../../harness/core/execution.ts";
import type { Response } from "../../harness/core/history.ts";
import type { Json } from "../../harness/core/json.ts";
import type { Operation } from "../../harness/core/operation.ts";
import type { System, SystemFactory } from "../../harness/execution/system.ts";
import type { InclusionCase, Protocol } from "./inclusion-case.ts";

/** All messages of one client, on a connection of its own. An error leads to a rollback, and ends them. */
export type Messages = Operation & {
  readonly name: "messages";
  readonly protocol: Protocol;
  readonly texts: readonly string[];
};

/** The role of the clients where row security is on: a superuser bypasses it. */
const ROLE = "inclusion_client";

const hasRowSecurity = ({ setup }: InclusionCase): boolean =>
  setup.some((text) => text.includes("row level security"));

/** How to set a case up: for executions under control as for those without. */
export function systemOf(one: InclusionCase): SystemFactory<null, Messages> {
  return {
    migrate: (url) => migrate(one, url),
    start: ({ gatedUrl, gatedStream, directUrl }) =>
      InclusionSystem.open(one, { gatedUrl, gatedStream, directUrl }),
  };
}

async function migrate(one: InclusionCase, url: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    for (const text of one.setup) await client.query(text);
    if (hasRowSecurity(one)) await client.query(GRANTS);
  } finally {
    await client.end();
  }
}

const GRANTS = `
do $$ begin create role ${ROLE}; exception when duplicate_object or unique_violation then null; end $$;
grant all on all tables in schema public to ${ROLE};
grant all on all sequences in schema public to ${ROLE};
grant create on schema public to ${ROLE}`;

/** What the generated changes of the schema make. */
const UNDEFINE = `
drop table if exists da; drop function if exists df(); drop schema if exists ds; drop type if exists dt;
drop index if exists di; drop sequence if exists dq`;

const DEFINED = `
select relname as name, relkind::text as kind from pg_class where relname in ('da', 'di', 'dq')
union all select proname, 'function' from pg_proc where proname = 'df'
union all select typname, 'type' from pg_type where typname = 'dt'
union all select nspname, 'schema' from pg_namespace where nspname = 'ds'
order by 1, 2`;

/** The connections of a case's clients, and one past all gates. */
export class InclusionSystem implements System<null, Messages> {
  readonly #clients: readonly Client[];
  readonly #direct: Client;
  readonly #reset: string;
  readonly #observe: string;
  readonly #defines: boolean;

  private constructor(one: InclusionCase, clients: readonly Client[], direct: Client) {
    this.#clients = clients;
    this.#direct = direct;
    const tables = one.setup.flatMap((text) => {
      const name = /^create table (\w+)/.exec(text)?.[1];
      return name === undefined || text.includes("partition of") ? [] : [name];
    });
    const texts = one.clients.flatMap(({ messages }) => messages);
    this.#defines = texts.some((text) => /create/.test(text));
    // The order of rows in a table, which decides the order of locks, has to be that of the setup.
    this.#reset = [
      `truncate ${tables.join(", ")}`,
      ...one.setup.filter((text) => text.startsWith("insert into")),
      ...(tables.includes("tl") ? ["select setval('tl_n_seq', 1, false)"] : []),
      ...(this.#defines ? [UNDEFINE] : []),
    ].join(";\n");
    this.#observe = `${tables
      .map((name) => `select '${name}' as name, to_jsonb(whole) as row from ${name} as whole`)
      .join("\nunion all ")} order by 1, 2`;
  }

  static async open(
    one: InclusionCase,
    urls: { gatedUrl: string; gatedStream?: (() => Duplex) | undefined; directUrl: string },
  ): Promise<InclusionSystem> {
    const stream = urls.gatedStream && { stream: urls.gatedStream };
    const gated = { connectionString: urls.gatedUrl, ...stream };
    const clients: Client[] = [];
    for (const _ of one.clients) {
      const client = await connected(gated);
      if (hasRowSecurity(one)) await client.query(`set role ${ROLE}`);
      clients.push(client);
    }
    const direct = await connected({ connectionString: urls.directUrl });
    // A reset fires no triggers.
    await direct.query("set session_replication_role = replica");
    return new InclusionSystem(one, clients, direct);
  }

  async reset(): Promise<void> {
    await this.#direct.query(this.#reset);
  }

  /** @param before called before each message */
  async perform(
    { protocol, texts }: Messages,
    number: number,
    _patience?: AbortSignal,
    before: () => Promise<void> = async () => {},
  ): Promise<Response> {
    const client = this.#clients[number];
    if (client === undefined) throw new Error(`there is no client ${number}`);
    const answers: Json[] = [];
    try {
      for (const text of texts) {
        await before();
        // The extended protocol takes one statement.
        const single = text.startsWith("do ") || !text.includes(";");
        const extended = protocol === "extended" && single;
        const query: QueryConfig = { text, ...(extended && { queryMode: "extended" }) };
        const results: QueryResult[] = [await client.query(query)].flat();
        for (const { command, rowCount, rows } of results) {
          answers.push([command, rowCount, JSON.parse(JSON.stringify(rows))]);
        }
      }
      return { outcome: "ok", code: "OK", body: answers };
    } catch (error) {
      const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
      await client.query("rollback");
      return { outcome: "fail", code, body: answers };
    }
  }

  async observe(): Promise<Snapshot> {
    const { rows } = await this.#direct.query(this.#observe);
    if (!this.#defines) return { rows };
    return { rows, defined: (await this.#direct.query(DEFINED)).rows };
  }

  ownerOf(pid: number): number | undefined {
    const client = this.#clients.findIndex((one) => "processID" in one && one.processID === pid);
    return client < 0 ? undefined : client;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#clients, this.#direct].map((client) => client.end()));
  }
}

async function connected(config: ClientConfig): Promise<Client> {
  const client = new Client(config);
  client.on("error", () => {});
  await client.connect();
  return client;
}
