import type { Client } from "pg";
import type { JsonObject, Snapshot } from "../../harness/index.ts";
import { CHECKS, OFFENDING } from "./invariants.ts";

/** The consistency checks' results and, only if one failed, the rows at fault. */
export async function observe(database: Client): Promise<Snapshot> {
  const checks = await database.query<JsonObject>({
    name: "verify",
    text: "select * from verify_booking_slot_consistency()",
  });
  if (checks.rows.every((row) => row["status"] === "PASS")) return { [CHECKS]: checks.rows };
  const offending = await database.query<JsonObject>(
    "select * from check_slot_booking_consistency() order by check_name, slot_id, booking_id",
  );
  return { [CHECKS]: checks.rows, [OFFENDING]: offending.rows };
}
