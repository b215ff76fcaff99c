import { defineService } from "../../harness/index.ts";
import { startWallets } from "./server.ts";
import wallets from "./wallets.heddle.ts";

/** The service without its locks: two requests both find money that is there once. */
export default defineService({
  ...wallets,
  service: (context) => startWallets({ ...context, locks: false }),
});
