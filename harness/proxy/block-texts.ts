import type { WireGates } from "../instrumentation/gate-kind.ts";
import { frame, typeOf } from "./request-parts.ts";

/** The messages of a request, with gates in the DO blocks of their texts: of a Query, or of Parse. */
export function withBlockTexts(bytes: Buffer[], { blocks }: WireGates): Buffer[] {
  if (blocks === undefined) return bytes;
  return bytes.map((message) => {
    const type = typeOf(message);
    if (type !== "Q" && type !== "P") return message;
    // Parse has the name of the statement before its text.
    const start = type === "Q" ? 5 : message.indexOf(0, 5) + 1;
    const end = message.indexOf(0, start);
    const sql = message.toString("utf8", start, end);
    const gated = blocks.gated(sql);
    if (gated === sql) return message;
    const body = [message.subarray(5, start), Buffer.from(gated), message.subarray(end)];
    return frame(type, Buffer.concat(body));
  });
}
