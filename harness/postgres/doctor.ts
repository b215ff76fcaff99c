import { on, once } from "node:events";
import { HarnessError } from "../core/error.ts";
import { installedBinaries, runnableBinaries } from "./binaries.ts";
import { cacheFolder, exists } from "./cache.ts";
import { clusterFolder } from "./cluster.ts";
import { type Connection, connect } from "./connection.ts";
import { openEngine } from "./container/engine.ts";
import { reusableContainers } from "./container/labels.ts";
import { imageId } from "./container/run-container.ts";
import { serverUser } from "./os-user.ts";
import { selectServer, startServer } from "./provider.ts";
import { baseFolder } from "./run-folder.ts";
import type { Server } from "./server.ts";

/**
 * Finds out what the server of a choice allows, by using it: it is started, a database is leased,
 * tried and dropped, and the server is stopped.
 * @param choice as for `startServer`.
 */
export async function diagnose(choice: string): Promise<Diagnostic[]> {
  const findings: Diagnostic[] = [];
  const chosen = await probe(findings, "provider", async () => {
    const value = await selectServer(choice);
    return { value, detail: `${value.provider} (${value.why})` };
  });
  if (chosen === undefined) return findings;
  if (chosen.provider === "embedded") await examineInstallation(findings, chosen.major);
  if (chosen.provider === "container") await examineEngine(findings, chosen.image);
  const server = await probe(findings, "server", async () => {
    const value = await startServer(choice);
    return { value, detail: value.description };
  });
  if (server === undefined) return findings;
  try {
    await examineServer(findings, server);
  } finally {
    await server.stop();
  }
  return findings;
}

async function examineInstallation(
  findings: Diagnostic[],
  major: string | undefined,
): Promise<void> {
  const installed = await probe(findings, "binaries", async () => {
    const value = await installedBinaries(major);
    return { value, detail: `PostgreSQL ${value.version} in ${value.folder}` };
  });
  const runner = await probe(findings, "account", async () => {
    const account = await serverUser();
    const name = account === undefined ? "this user" : `${account.name}, since this is root`;
    return { value: { account }, detail: `Postgres runs as ${name}` };
  });
  if (installed === undefined || runner === undefined) return;
  await probe(findings, "cache", async () => {
    const value = await cacheFolder(runner.account);
    return { value, detail: value };
  });
  await probe(findings, "cluster", async () => {
    const { folder } = await runnableBinaries(installed, runner.account);
    const cluster = await clusterFolder(installed, runner.account);
    const state = (await exists(cluster)) ? "is" : "will be, at the first start,";
    const detail = `${cluster} ${state} initialized; binaries run in ${folder}`;
    return { value: cluster, detail };
  });
  await probe(findings, "run folders", async () => {
    const value = await baseFolder(runner.account);
    return { value, detail: `below ${value}, where the path of a socket is short enough` };
  });
}

async function examineEngine(findings: Diagnostic[], image: string): Promise<void> {
  const engine = await probe(findings, "engine", async () => {
    const value = await openEngine();
    return { value, detail: `runs on ${value.system}` };
  });
  if (engine === undefined) return;
  await probe(findings, "image", async () => {
    const here = (await imageId(engine, image)) !== undefined;
    return { value: here, detail: `${image} ${here ? "is here" : "has to be downloaded"}` };
  });
  await probe(findings, "kept containers", async () => {
    const value = await reusableContainers(engine);
    const remove = `remove with docker rm --force --volumes ${value.join(" ")}`;
    return { value, detail: value.length === 0 ? "none" : `${value.length}: ${remove}` };
  });
}

async function examineServer(findings: Diagnostic[], server: Server): Promise<void> {
  const database = await probe(findings, "create database", async () => {
    const value = await server.lease();
    return { value, detail: `${value.name}, dropped again` };
  });
  if (database === undefined) return;
  const pushed = database.lockWaits === "pushed";
  findings.push({
    name: "lock waits",
    ok: true,
    detail: pushed
      ? "pushed by the server: deadlock_timeout and log_lock_waits may be set"
      : "asked for, which is slower: this role may not set deadlock_timeout and log_lock_waits",
  });
  await examineDatabase(findings, database.url);
}

/** What was found out about one thing that a provider needs. */
export interface Diagnostic {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  /** What to do, where the detail does not say it. */
  readonly hint?: string;
}

/** Adds what came of `look`; what it throws is the detail of a finding that is not ok. */
async function probe<T>(
  findings: Diagnostic[],
  name: string,
  look: () => Promise<{ readonly value: T; readonly detail: string }>,
  hint?: string,
): Promise<T | undefined> {
  try {
    const { value, detail } = await look();
    findings.push({ name, ok: true, detail });
    return value;
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    findings.push({ name, ok: false, detail, ...(hint !== undefined && { hint }) });
    return undefined;
  }
}

const ANSWER_MS = 2000;

/** Tries, in a disposable database, all that Heddle needs there, and what its gates need. */
export async function examineDatabase(findings: Diagnostic[], url: string): Promise<void> {
  const sessions: Connection[] = [];
  try {
    const opened = await probe(findings, "connect", async () => {
      sessions.push(await connect(url), await connect(url));
      return { value: sessions, detail: "two more sessions" };
    });
    const [client, other] = opened ?? [];
    if (client === undefined || other === undefined) return;
    await examineSession(findings, client);
    await examineGates(findings, client, other);
  } finally {
    for (const session of sessions) await session.end();
  }
}

async function examineSession(findings: Diagnostic[], client: Connection): Promise<void> {
  await probe(findings, "role", async () => {
    const { rows } = await client.query<{ name: string; super: boolean }>(
      "select rolname as name, rolsuper as super from pg_roles where rolname = current_user",
    );
    const detail = `${rows[0]?.name}, ${rows[0]?.super ? "a superuser" : "no superuser"}`;
    return { value: detail, detail };
  });
  await probe(findings, "advisory locks", async () => {
    const pid = "select pg_backend_pid() as pid, pg_advisory_lock(1)";
    const before = await client.query<{ pid: number }>(pid);
    const after = await client.query<{ pid: number; unlocked: boolean }>(
      "select pg_backend_pid() as pid, pg_advisory_unlock(1) as unlocked",
    );
    if (before.rows[0]?.pid !== after.rows[0]?.pid || !after.rows[0]?.unlocked) {
      throw new HarnessError(
        "PROVIDER_FAILED",
        "A pooler shares sessions between transactions: give the URL of the server itself.",
      );
    }
    return { value: true, detail: "held by the session" };
  });
  await probe(findings, "notices", async () => {
    const signal = AbortSignal.timeout(1000);
    const notice = once(client, "notice", { signal });
    await client.query("do $$ begin raise notice 'heard'; end $$");
    await notice;
    return { value: true, detail: "arrive" };
  });
  await probe(
    findings,
    "btree_gist",
    async () => {
      await client.query("create extension btree_gist");
      return { value: true, detail: "can be created" };
    },
    "Install the extension on the server (Debian: postgresql-contrib), and let the role create it.",
  );
}

async function examineGates(
  findings: Diagnostic[],
  client: Connection,
  other: Connection,
): Promise<void> {
  await probe(
    findings,
    "statement gates",
    async () => {
      await client.query("select pg_advisory_lock(2)");
      const waiting = other.query("select pg_advisory_lock(2), pg_advisory_unlock(2)");
      const pid = (other as Connection & { readonly processID: number }).processID;
      try {
        await untilTrue(client, "select cardinality(pg_blocking_pids($1)) = 1 as true", pid);
      } finally {
        await client.query("select pg_advisory_unlock(2)");
        await waiting;
      }
      return { value: true, detail: "work: a session that waits for another is seen" };
    },
    "Heddle has to see which session waits: give the URL of the server itself, not of a pooler.",
  );
  await probe(
    findings,
    "routine and row gates",
    async () => {
      await client.query(GATE);
      await client.query("select pg_advisory_lock(2)");
      const insert = other.query("insert into heddle_examined values (1)");
      try {
        await heard(other, "here");
      } finally {
        await client.query("select pg_advisory_unlock(2)");
        await insert;
      }
      const detail = "work: a routine says where it is, and waits there, while its statement runs";
      return { value: true, detail };
    },
    "Only statement gates work: nothing inside a function or a statement can be interleaved.",
  );
}

/** What gates inside the server are made of. */
const GATE = `
  create table heddle_examined (id int);
  create function heddle_gate() returns trigger language plpgsql set lock_timeout = 0 as $$
    begin
      raise info 'here';
      perform pg_advisory_xact_lock(2);
      return new;
    end $$;
  create trigger gate before insert on heddle_examined for each row execute function heddle_gate()`;

/** Resolves when the server says `text`; it may say other things too. */
async function heard(client: Connection, text: string): Promise<void> {
  const signal = AbortSignal.timeout(ANSWER_MS);
  for await (const [{ message }] of on(client, "notice", { signal })) {
    if (message === text) return;
  }
}

async function untilTrue(client: Connection, question: string, value: unknown): Promise<void> {
  const until = performance.now() + ANSWER_MS;
  for (;;) {
    const { rows } = await client.query<{ true: boolean }>(question, [value]);
    if (rows[0]?.true) return;
    if (performance.now() > until) throw new Error("it is not seen that a session waits");
  }
}
