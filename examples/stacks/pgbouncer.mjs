import { lostUpdateOfService } from "./lost-update.mjs";

/** A pool in the service, PgBouncer in transaction mode, and then the gates. */
export default lostUpdateOfService({ exec: [process.execPath, "pgbouncer-service.mjs"] });
