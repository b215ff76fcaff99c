import { on, once } from "node:events";
import { HarnessError } from "../core/error.ts";
import { type Connection, connect } from "./connection.ts";
import { type Diagnostic, probe } from "./diagnostic.ts";

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
