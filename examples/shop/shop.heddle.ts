import fc from "fast-check";
import { defineService, http, rowOf } from "../../harness/index.ts";

const amount = fc.integer({ min: 1, max: 60 });
const quantity = fc.integer({ min: 1, max: 3 });

/** A shop, without a model: what any order of the requests would give is right. */
export default defineService({
  setup: "schema.sql",
  service: { exec: [process.execPath, "server.js"] },
  operations: {
    look: http.get("/items/:id", { id: rowOf("items.id") }),
    order: http.post("/orders", { item: rowOf("items.id"), quantity }),
    cancel: http.post("/orders/:id/cancel", { id: rowOf("orders.id") }),
    restock: http.post("/items/:id/restock", { id: rowOf("items.id"), quantity }),
    register: http.post("/customers", {
      email: fc.constantFrom("eve@example.com", "dan@example.com"),
    }),
    transfer: http.post("/transfers", {
      from: rowOf("customers.id"),
      to: rowOf("customers.id"),
      amount,
    }),
    pay: http.post(
      "/payments",
      { customer: rowOf("customers.id"), amount },
      { headers: { "idempotency-key": fc.constantFrom("key-1", "key-2") } },
    ),
  },
});
