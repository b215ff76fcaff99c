import type { JsonObject } from "../../../harness/index.ts";

/** The model's slots are past or future by a fixed day; those of a deployment begin soon. */
const YEARS_AHEAD = 100;

/** The same time of a later century. */
export function ahead(time: string): string {
  const date = new Date(time);
  date.setUTCFullYear(date.getUTCFullYear() + YEARS_AHEAD);
  return date.toISOString();
}

/** A booking as the service tells of it, with its times moved. */
export function withTimesAhead(body: JsonObject | null): JsonObject | null {
  if (body === null) return null;
  const times = ["startAt", "endAt"].map((field) => [field, ahead(String(body[field]))]);
  return { ...body, ...Object.fromEntries(times) };
}
