import { fileURLToPath } from "node:url";
import { defineService, TestClock } from "../../harness/index.ts";
import { sc1 } from "./attacks/sc1.ts";
import { calendarSql } from "./calendar.ts";
import { invariants } from "./invariants.ts";
import { model } from "./model.ts";
import { mutants } from "./mutants/index.ts";
import { survivors } from "./mutants/survivors.ts";
import { ids, operations } from "./operations.ts";
import { pairs } from "./pairs.ts";
import { promises } from "./promises.ts";
import { scenarios } from "./scenarios.ts";
import { identities, startBooking, startGateway } from "./service.ts";

/** Another file may export this service too. */
const MIGRATIONS = fileURLToPath(new URL("../../migrations/*.sql", import.meta.url));

/** Describes the booking service of `src/` and `migrations/` to Heddle. */
export default defineService({
  name: "booking",
  setup: [({ url }) => TestClock.install(url), MIGRATIONS, calendarSql()],
  service: (start) => startBooking(start),
  // All queries of the service sort their rows.
  restore: "delete",
  outside: startGateway,
  operations,
  identities,
  code: "code",
  ids,
  invariants,
  model,
  scenarios,
  pairs,
  mutants: mutants.map(({ sql = [], ...bug }) => ({ ...bug, setup: sql })),
  attacks: [sc1],
  promises,
  survivors,
  sources: [
    "*.ts",
    "attacks/*.ts",
    "mutants/*.ts",
    MIGRATIONS,
    "../../src/*.ts",
    "../../src/browser/*.js",
  ],
});
