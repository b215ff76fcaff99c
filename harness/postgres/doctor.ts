import { setTimeout as delay } from "node:timers/promises";
import { HarnessError } from "../core/error.ts";
import { installedBinaries, runnableBinaries } from "./binaries.ts";
import { cacheFolder, exists } from "./cache.ts";
import { clusterFolder } from "./cluster.ts";
import { type Connection, connect } from "./connection.ts";
import { openEngine } from "./container/engine.ts";
import { reusableContainers } from "./container/labels.ts";
import { imageId } from "./container/run-container.ts";
import { LONGEST_MS, sessionSeenBy, untilBlocked } from "./observed-session.ts";
import { serverUser } from "./os-user.ts";
import { selectServer, startServer } from "./provider.ts";
import { baseFolder } from "./run-folder.ts";
import type { Server } from "./server.ts";

/** The result of one check. */
export interface Diagnostic {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  /** What to do, if `detail` does not say it. */
  readonly hint?: string;
}

/**
 * Checks what a server allows by using it: starts it, leases a database, tries in it what gates need,
 * drops it, and stops the server.
 * @param choice as for `startServer`.
 * @returns one diagnostic for each check. The checks end after the first failure that prevents the next.
 */
export async function diagnose(choice: string): Promise<Diagnostic[]> {
  const diagnostics: Diagnostic[] = [];
  const chosen = await probe(diagnostics, "provider", async () => {
    const value = await selectServer(choice);
    return { value, detail: `${value.provider} (${value.why})` };
  });
  if (chosen === undefined) return diagnostics;
  if (chosen.provider === "embedded") await checkInstallation(diagnostics, chosen.major);
  if (chosen.provider === "container") await checkEngine(diagnostics, chosen.image);
  const server = await probe(diagnostics, "server", async () => {
    const value = await startServer(choice);
    return { value, detail: value.description };
  });
  if (server === undefined) return diagnostics;
  try {
    await checkServer(diagnostics, server);
  } finally {
    await server.stop();
  }
  return diagnostics;
}

async function checkInstallation(
  diagnostics: Diagnostic[],
  major: string | undefined,
): Promise<void> {
  const installed = await probe(diagnostics, "binaries", async () => {
    const value = await installedBinaries(major);
    return { value, detail: `PostgreSQL ${value.version} in ${value.folder}` };
  });
  const runner = await probe(diagnostics, "OS user", async () => {
    const user = await serverUser();
    const name = user === undefined ? "this user" : `${user.name}, since it refuses to run as root`;
    return { value: { user }, detail: `Postgres runs as ${name}` };
  });
  if (installed === undefined || runner === undefined) return;
  await probe(diagnostics, "cache", async () => {
    const value = await cacheFolder(runner.user);
    return { value, detail: value };
  });
  await probe(diagnostics, "cluster", async () => {
    const { folder } = await runnableBinaries(installed, runner.user);
    const cluster = await clusterFolder(installed, runner.user);
    const state = (await exists(cluster)) ? "is initialized" : "is initialized at the first start";
    const detail = `${cluster} ${state}; the binaries are in ${folder}`;
    return { value: cluster, detail };
  });
  await probe(diagnostics, "run folders", async () => {
    const value = await baseFolder(runner.user);
    return { value, detail: `below ${value}, where the path of a socket is short enough` };
  });
}

async function checkEngine(diagnostics: Diagnostic[], image: string): Promise<void> {
  const engine = await probe(diagnostics, "engine", async () => {
    const value = await openEngine();
    return { value, detail: `runs on ${value.system}` };
  });
  if (engine === undefined) return;
  await probe(diagnostics, "image", async () => {
    const here = (await imageId(engine, image)) !== undefined;
    return { value: here, detail: `${image} ${here ? "is present" : "will be downloaded"}` };
  });
  await probe(diagnostics, "reusable containers", async () => {
    const value = await reusableContainers(engine);
    const remove = `remove them with docker rm --force --volumes ${value.join(" ")}`;
    return { value, detail: value.length === 0 ? "none" : `${value.length}: ${remove}` };
  });
}

async function checkServer(diagnostics: Diagnostic[], server: Server): Promise<void> {
  const database = await probe(diagnostics, "create database", async () => {
    const value = await server.lease();
    return { value, detail: `${value.name}, which is dropped again` };
  });
  if (database === undefined) return;
  const pushed = database.lockWaits === "pushed";
  diagnostics.push({
    name: "lock waits",
    ok: true,
    detail: pushed
      ? "reported by the server: this role may set deadlock_timeout and log_lock_waits"
      : "polled, which is slower: this role may not set deadlock_timeout and log_lock_waits",
  });
  await checkDatabase(diagnostics, database.url);
}

/** Runs a check and adds its diagnostic. An error becomes a diagnostic that is not `ok`, with its message. */
async function probe<T>(
  diagnostics: Diagnostic[],
  name: string,
  check: () => Promise<{ readonly value: T; readonly detail: string }>,
  hint?: string,
): Promise<T | undefined> {
  try {
    const { value, detail } = await check();
    diagnostics.push({ name, ok: true, detail });
    return value;
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    diagnostics.push({ name, ok: false, detail, ...(hint !== undefined && { hint }) });
    return undefined;
  }
}

const NO_NOTICE =
  "A notice of the server does not arrive: give the URL of the server itself, not of a pooler.";

/** Checks a disposable database: what Heddle needs in it, and what its gates need. */
export async function checkDatabase(diagnostics: Diagnostic[], url: string): Promise<void> {
  const sessions: Connection[] = [];
  try {
    const opened = await probe(diagnostics, "connect", async () => {
      sessions.push(await connect(url), await connect(url));
      return { value: sessions, detail: "two sessions opened" };
    });
    const [client, other] = opened ?? [];
    if (client === undefined || other === undefined) return;
    await checkSession(diagnostics, client);
    await checkGates(diagnostics, client, other);
  } finally {
    for (const session of sessions) await session.end();
  }
}

async function checkSession(diagnostics: Diagnostic[], client: Connection): Promise<void> {
  await probe(diagnostics, "role", async () => {
    const { rows } = await client.query<{ name: string; super: boolean }>(
      "select rolname as name, rolsuper as super from pg_roles where rolname = current_user",
    );
    const detail = `${rows[0]?.name}, ${rows[0]?.super ? "a superuser" : "not a superuser"}`;
    return { value: detail, detail };
  });
  await probe(diagnostics, "advisory locks", async () => {
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
    return { value: true, detail: "belong to the session" };
  });
  await probe(diagnostics, "notices", async () => {
    let arrived = false;
    client.once("notice", () => {
      arrived = true;
    });
    // The server sends the notice before the end of its statement.
    await client.query("do $$ begin raise notice 'notice'; end $$");
    if (!arrived) throw new HarnessError("PROVIDER_FAILED", NO_NOTICE);
    return { value: true, detail: "arrive" };
  });
  await probe(
    diagnostics,
    "btree_gist",
    async () => {
      await client.query("create extension btree_gist");
      return { value: true, detail: "can be created" };
    },
    "Install the extension on the server (Debian: package postgresql-contrib), and let the role create it.",
  );
}

async function checkGates(
  diagnostics: Diagnostic[],
  client: Connection,
  other: Connection,
): Promise<void> {
  await probe(
    diagnostics,
    "statement gates",
    async () => {
      await client.query("select pg_advisory_lock(2)");
      const waiting = other.query("select pg_advisory_lock(2), pg_advisory_unlock(2)");
      try {
        await untilBlocked(sessionSeenBy(client, other), waiting);
      } finally {
        await client.query("select pg_advisory_unlock(2)");
        await waiting;
      }
      return { value: true, detail: "work: the server shows which session waits for another" };
    },
    "Heddle must see which session waits: give the URL of the server itself, not of a pooler, and let the role call pg_blocking_pids.",
  );
  await probe(
    diagnostics,
    "routine and row gates",
    async () => {
      await client.query(GATE);
      await client.query("select pg_advisory_lock(2)");
      let arrived = false;
      other.on("notice", ({ message }) => {
        arrived ||= message === "here";
      });
      const insert = other.query("insert into heddle_checked values (1)");
      try {
        await untilBlocked(sessionSeenBy(client, other), insert);
        // The server has sent the notice before it waits, on another connection than its answers here.
        const until = performance.now() + LONGEST_MS;
        while (!arrived && performance.now() < until) await delay(1);
        if (!arrived) throw new HarnessError("PROVIDER_FAILED", NO_NOTICE);
      } finally {
        await client.query("select pg_advisory_unlock(2)");
        await insert;
      }
      const detail =
        "work: a routine reports its place by a notice, and waits there while its statement runs";
      return { value: true, detail };
    },
    "Only statement gates work: Heddle cannot interleave inside a function or a statement.",
  );
}

/** A gate inside the server: a trigger that sends a notice and waits for an advisory lock. */
const GATE = `
  create table heddle_checked (id int);
  create function heddle_gate() returns trigger language plpgsql set lock_timeout = 0 as $$
    begin
      raise info 'here';
      perform pg_advisory_xact_lock(2);
      return new;
    end $$;
  create trigger gate before insert on heddle_checked for each row execute function heddle_gate()`;
