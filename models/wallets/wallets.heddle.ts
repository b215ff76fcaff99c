import fc from "fast-check";
import { defineService, http, rowOf } from "../../harness/index.ts";
import { startWallets } from "./server.ts";

const amount = fc.integer({ min: 1, max: 90 });
const wallet = rowOf("wallets.id");
const hold = rowOf("holds.id");

/** A service of wallets: `heddle verify models/wallets/wallets.heddle.ts`. */
export default defineService({
  setup: "schema.sql",
  service: startWallets,
  operations: {
    look: http.get("/wallets/:id", { id: wallet }),
    deposit: http.post("/wallets/:id/deposits", { id: wallet, amount }),
    reserve: http.post("/wallets/:id/holds", { id: wallet, amount }),
    transfer: http.post("/transfers", { from: wallet, to: wallet, amount }),
    capture: http.post("/holds/:id/capture", { id: hold }),
    release: http.post("/holds/:id/release", { id: hold }),
  },
  invariants: {
    "holds are covered": `
      select w.id, w.balance, sum(h.amount) as held from wallets w
        join holds h on h.wallet_id = w.id and h.status = 'open'
       group by w.id having sum(h.amount) > w.balance`,
    "the entries add up to the balance": `
      select w.id, w.balance, sum(e.amount) as entries from wallets w
        join entries e on e.wallet_id = w.id
       group by w.id having sum(e.amount) <> w.balance`,
  },
});
