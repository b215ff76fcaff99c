import type { Client } from "pg";
import type { JsonObject, Snapshot } from "../../harness/index.ts";
import { CHECKS, LEDGER, OFFENDING } from "./invariants.ts";

const OFFENDING_ROWS = [
  "select * from check_slot_booking_consistency() order by check_name, slot_id, booking_id",
  "select * from check_payment_consistency() order by check_name, booking_id, intent",
];

/**
 * The consistency checks' results and, only if one failed, the rows at fault; and the payments, with
 * how often the gateway has given each of them back, as `refundsOf` says.
 */
export async function observe(
  database: Client,
  refundsOf: (intent: string) => number,
): Promise<Snapshot> {
  const checks = await database.query<JsonObject>({
    name: "verify",
    text: `select * from verify_booking_slot_consistency()
           union all
           select * from verify_payment_consistency()`,
  });
  const payments = await database.query<{ intent: string; status: string }>({
    name: "payments",
    text: "select intent, status from payments order by intent",
  });
  const ledger = payments.rows.map((row) => ({ ...row, refunds: refundsOf(row.intent) }));
  const found = { [CHECKS]: checks.rows, [LEDGER]: ledger };
  if (checks.rows.every((row) => row["status"] === "PASS")) return found;
  const offending: JsonObject[] = [];
  for (const sql of OFFENDING_ROWS) {
    offending.push(...(await database.query<JsonObject>(sql)).rows);
  }
  return { ...found, [OFFENDING]: offending };
}
