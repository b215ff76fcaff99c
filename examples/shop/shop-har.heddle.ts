import { defineService, fromHar } from "../../harness/index.ts";

/** The shop, with the operations of a session that `heddle record` has written. */
export default defineService({
  setup: "schema.sql",
  service: { exec: [process.execPath, "server.js"] },
  operations: fromHar("session.har"),
});
