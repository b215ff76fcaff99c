import { defineService } from "../../harness/index.ts";
import shop from "./shop.heddle.ts";

/** The same shop without its races. */
export default defineService({
  ...shop,
  setup: [
    "schema.sql",
    "alter table customers add unique (email)",
    "alter table payments add unique (key)",
  ],
  service: { exec: [process.execPath, "server.js"], env: { FIXED: "1" } },
});
