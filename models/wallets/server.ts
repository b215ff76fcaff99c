import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import pg from "pg";

/** What a request carries: numbers of the path, and the members of its body. */
type Input = Readonly<Partial<Record<string, number>>>;

class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

interface WalletsOptions {
  readonly databaseUrl: string;
  /** Whether a wallet is locked before its balance is read. Default: true; false plants a bug. */
  readonly locks?: boolean;
}

/**
 * A service of wallets: money is deposited, transferred, and held for merchants. Whatever changes the money
 * of a wallet locks its row first; of two wallets, that with the lower id.
 */
export async function startWallets({ databaseUrl, locks = true }: WalletsOptions) {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 10 });
  // A connection may end at any time: its next query fails then, and the process goes on.
  const ignore = () => {};
  pool.on("error", ignore).on("connect", (connection) => connection.on("error", ignore));

  async function transaction<T>(work: (db: pg.PoolClient) => Promise<T>): Promise<T> {
    const db = await pool.connect();
    try {
      await db.query("begin");
      const result = await work(db);
      await db.query("commit");
      return result;
    } catch (error) {
      await db.query("rollback");
      throw error;
    } finally {
      db.release();
    }
  }

  /** The money of a wallet that no open hold reserves. */
  async function available(db: pg.PoolClient, wallet: number | undefined): Promise<number> {
    const { rows } = await db.query(
      `select balance from wallets where id = $1 ${locks ? "for no key update" : ""}`,
      [wallet],
    );
    if (rows[0] === undefined) throw new Refusal(404, "no such wallet");
    const open =
      "select coalesce(sum(amount), 0)::int as held from holds where wallet_id = $1 and status = 'open'";
    const held = await db.query(open, [wallet]);
    return rows[0].balance - held.rows[0].held;
  }

  async function change(
    db: pg.PoolClient,
    wallet: number | undefined,
    amount: number,
    reason: string,
  ) {
    await db.query("update wallets set balance = balance + $2 where id = $1", [wallet, amount]);
    await db.query("insert into entries (wallet_id, amount, reason) values ($1, $2, $3)", [
      wallet,
      amount,
      reason,
    ]);
  }

  /** Ends an open hold of a locked wallet. */
  const end = (status: "captured" | "released") => (input: Input) =>
    transaction(async (db) => {
      const { rows } = await db.query("select wallet_id, amount from holds where id = $1", [
        input["id"],
      ]);
      if (rows[0] === undefined) throw new Refusal(404, "no such hold");
      await available(db, rows[0].wallet_id);
      const text = "update holds set status = $2 where id = $1 and status = 'open'";
      const { rowCount } = await db.query(text, [input["id"], status]);
      if (rowCount === 0) throw new Refusal(409, "the hold is not open");
      if (status === "captured") await change(db, rows[0].wallet_id, -rows[0].amount, "capture");
      return { status };
    });

  const routes: readonly [string, RegExp, (input: Input) => Promise<unknown>][] = [
    [
      "GET",
      /^\/wallets\/(\d+)$/,
      async ({ id }) => {
        const text = "select owner, balance from wallets where id = $1";
        return (await pool.query(text, [id])).rows[0];
      },
    ],
    [
      "POST",
      /^\/wallets\/(\d+)\/deposits$/,
      ({ id, amount = 0 }) =>
        transaction(async (db) => {
          await available(db, id);
          await change(db, id, amount, "deposit");
          return { amount };
        }),
    ],
    [
      "POST",
      /^\/wallets\/(\d+)\/holds$/,
      ({ id, amount = 0 }) =>
        transaction(async (db) => {
          if ((await available(db, id)) < amount) throw new Refusal(402, "not enough money");
          const text = "insert into holds (wallet_id, amount) values ($1, $2) returning id";
          return (await db.query(text, [id, amount])).rows[0];
        }),
    ],
    [
      "POST",
      /^\/transfers$/,
      ({ from = 0, to = 0, amount = 0 }) =>
        transaction(async (db) => {
          if (from === to) throw new Refusal(400, "the wallets are the same");
          const [first, second] = from < to ? [from, to] : [to, from];
          const left = {
            [first]: await available(db, first),
            [second]: await available(db, second),
          };
          if ((left[from] ?? 0) < amount) throw new Refusal(402, "not enough money");
          await change(db, from, -amount, "transfer");
          await change(db, to, amount, "transfer");
          return { amount };
        }),
    ],
    ["POST", /^\/holds\/(\d+)\/capture$/, end("captured")],
    ["POST", /^\/holds\/(\d+)\/release$/, end("released")],
  ];

  async function answer(request: IncomingMessage): Promise<unknown> {
    const texts = await request.setEncoding("utf8").toArray();
    const body = JSON.parse(texts.join("") || "{}") as Input;
    for (const [method, path, handle] of routes) {
      const match = path.exec(request.url ?? "");
      if (method === request.method && match) return handle({ ...body, id: Number(match[1]) });
    }
    throw new Refusal(404, "no such endpoint");
  }

  const server = createServer((request, response) => {
    const send = (status: number, body: unknown) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(body ?? null));
    };
    answer(request).then(
      (body) => send(200, body),
      (error: Error) =>
        send(error instanceof Refusal ? error.status : 500, { error: error.message }),
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await pool.end();
    },
  };
}
