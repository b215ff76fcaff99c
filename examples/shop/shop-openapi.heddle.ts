import { defineService, fromOpenApi } from "../../harness/index.ts";

/** The shop, with the operations of its OpenAPI document. */
export default defineService({
  setup: "schema.sql",
  service: { exec: [process.execPath, "server.js"] },
  operations: fromOpenApi("openapi.json"),
});
