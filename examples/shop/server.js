import { createServer } from "node:http";
import pg from "pg";

/*
 * A shop with seven endpoints. Four of them have a race, each of another kind; with FIXED=1 none has.
 * It knows nothing about Heddle.
 */

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 });
const fixed = process.env.FIXED === "1";

/** An answer other than 200. */
class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function transaction(work) {
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

/** The only row, or a refusal with 404. */
async function one(db, text, values) {
  const { rows } = await db.query(text, values);
  if (rows[0] === undefined) throw new Refusal(404, "not found");
  return rows[0];
}

const look = ({ id }) => one(pool, "select id, name, stock from items where id = $1", [id]);

/** Takes the items and writes the order in one transaction, and tests the stock where it is changed. */
const order = ({ item, quantity }) =>
  transaction(async (db) => {
    const { rowCount } = await db.query(
      "update items set stock = stock - $2 where id = $1 and stock >= $2",
      [item, quantity],
    );
    if (rowCount === 0) throw new Refusal(409, "sold out");
    return one(db, "insert into orders (item_id, quantity) values ($1, $2) returning *", [
      item,
      quantity,
    ]);
  });

/** Only the one that changes the status gives the items back. */
const cancel = ({ id }) =>
  transaction(async (db) => {
    const { rows } = await db.query(
      "update orders set status = 'cancelled' where id = $1 and status = 'open' returning *",
      [id],
    );
    if (rows[0] === undefined) throw new Refusal(409, "not open");
    const { item_id, quantity } = rows[0];
    await db.query("update items set stock = stock + $2 where id = $1", [item_id, quantity]);
    return rows[0];
  });

/** A stale total: the stock may have changed since it was read. */
async function restock({ id, quantity }) {
  if (fixed) {
    const text = "update items set stock = stock + $2 where id = $1 returning id, stock";
    return one(pool, text, [id, quantity]);
  }
  const { stock } = await one(pool, "select stock from items where id = $1", [id]);
  const text = "update items set stock = $2 where id = $1 returning id, stock";
  return one(pool, text, [id, stock + quantity]);
}

/** Checks, and then inserts: two requests may both find no customer. */
async function register({ email }) {
  if (!fixed) {
    const { rowCount } = await pool.query("select from customers where email = $1", [email]);
    if (rowCount !== 0) throw new Refusal(409, "registered already");
    return one(pool, "insert into customers (email) values ($1) returning id, email", [email]);
  }
  const { rows } = await pool.query(
    "insert into customers (email) values ($1) on conflict do nothing returning id, email",
    [email],
  );
  if (rows[0] === undefined) throw new Refusal(409, "registered already");
  return rows[0];
}

/** Locks in the order of the request: two transfers in opposite directions wait for each other. */
async function transfer({ from, to, amount }) {
  if (from === to) throw new Refusal(400, "nothing to transfer");
  return transaction(async (db) => {
    if (fixed) {
      const all = "select from customers where id in ($1, $2) order by id for no key update";
      await db.query(all, [from, to]);
    }
    const { rowCount } = await db.query(
      "update customers set balance = balance - $2 where id = $1 and balance >= $2",
      [from, amount],
    );
    if (rowCount === 0) throw new Refusal(402, "not enough money");
    await one(db, "update customers set balance = balance + $2 where id = $1 returning id", [
      to,
      amount,
    ]);
    return { from, to, amount };
  });
}

/** A retry has the key of the first request; while that is in flight, it finds no payment. */
const pay = ({ customer, amount, key }) =>
  transaction(async (db) => {
    const text = "select id, amount from payments where key = $1";
    if (!fixed) {
      const { rows } = await db.query(text, [key]);
      if (rows[0] !== undefined) return rows[0];
    }
    const { rows } = await db.query(
      `insert into payments (key, customer_id, amount) values ($1, $2, $3)
       ${fixed ? "on conflict (key) do nothing" : ""} returning id, amount`,
      [key, customer, amount],
    );
    if (rows[0] === undefined) return one(db, text, [key]);
    const { rowCount } = await db.query(
      "update customers set balance = balance - $2 where id = $1 and balance >= $2",
      [customer, amount],
    );
    if (rowCount === 0) throw new Refusal(402, "not enough money");
    return rows[0];
  });

const routes = [
  ["GET", /^\/items\/(\d+)$/, look],
  ["POST", /^\/orders$/, order],
  ["POST", /^\/orders\/(\d+)\/cancel$/, cancel],
  ["POST", /^\/items\/(\d+)\/restock$/, restock],
  ["POST", /^\/customers$/, register],
  ["POST", /^\/transfers$/, transfer],
  ["POST", /^\/payments$/, pay],
];

async function answer(request) {
  const texts = await request.setEncoding("utf8").toArray();
  const body = JSON.parse(texts.join("") || "{}");
  for (const [method, path, handle] of routes) {
    const match = path.exec(request.url);
    if (method !== request.method || match === null) continue;
    return handle({ ...body, id: Number(match[1]), key: request.headers["idempotency-key"] });
  }
  throw new Refusal(404, "no such endpoint");
}

async function respond(request, response) {
  const send = (status, body) => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(body));
  };
  try {
    send(200, await answer(request));
  } catch (error) {
    send(error instanceof Refusal ? error.status : 500, { error: error.message });
  }
}

const server = createServer((request, response) => {
  void respond(request, response);
});

server.listen(Number(process.env.PORT), "127.0.0.1");
