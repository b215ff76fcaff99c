import type { Snapshot } from "../core/execution.ts";
import type { Json, JsonObject } from "../core/json.ts";
import type { ClientQuery } from "./scenario-definition.ts";
import { tablesOf } from "./tables.ts";

const DAY_MS = 86_400_000;

/**
 * All rows of all tables, sorted: equal for two executions that left the same. A time of about now is
 * the clock's, and is called so.
 */
export async function contentsOf(query: ClientQuery): Promise<Snapshot> {
  const found: Record<string, readonly JsonObject[]> = {};
  for (const { name } of await tablesOf(query)) {
    const rows = await query(
      `select to_jsonb(t) as row from only ${name} t order by to_jsonb(t)::text`,
    );
    found[name] = rows.map(({ row }) => withoutClock(row as JsonObject));
  }
  return found;
}

function withoutClock<T extends Json>(value: T): T {
  const now = Date.now();
  return JSON.parse(JSON.stringify(value), (_, item: unknown) =>
    typeof item === "string" && isAbout(now, item) ? "(now)" : item,
  ) as T;
}

function isAbout(now: number, text: string): boolean {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/.test(text)) return false;
  return Math.abs(Date.parse(text) - now) < DAY_MS;
}
