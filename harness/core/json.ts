/** A JSON value. Everything in a replay file is one. */
export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [key: string]: Json };

/** A JSON object, such as a row by the names of its columns. */
export type JsonObject = { readonly [key: string]: Json };

/**
 * JSON for readers and for `diff`: a value that fits into `width` columns, a comma included, stays on
 * one line; any other has one line per member.
 */
export function prettyJson(value: unknown, width = 100): string {
  return print(JSON.parse(JSON.stringify(value)), "", "", width);
}

/** @param lead the text before the value on its line: its key */
function print(value: unknown, indent: string, lead: string, width: number): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const flat = oneLine(value, width - indent.length - lead.length);
  if (flat !== undefined) return flat;
  const inner = `${indent}  `;
  const broken = Array.isArray(value)
    ? value.map((item) => inner + print(item, inner, "", width))
    : Object.entries(value).map(([name, member]) => {
        const key = `${JSON.stringify(name)}: `;
        return inner + key + print(member, inner, key, width);
      });
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  return `${open}\n${broken.join(",\n")}\n${indent}${close}`;
}

/** The value on one line of less than `room` columns; undefined if it is longer, before all of it is read. */
function oneLine(value: unknown, room: number): string | undefined {
  if (typeof value === "string" && value.length + 2 >= room) return undefined;
  if (typeof value !== "object" || value === null) return within(room, JSON.stringify(value));
  const parts: string[] = [];
  let left = room;
  for (const [key, member] of Object.entries(value)) {
    const name = Array.isArray(value) ? "" : `${JSON.stringify(key)}: `;
    const text = oneLine(member, left - name.length);
    if (text === undefined) return undefined;
    parts.push(name + text);
    left -= name.length + text.length;
  }
  if (Array.isArray(value)) return within(room, `[${parts.join(", ")}]`);
  return within(room, parts.length === 0 ? "{}" : `{ ${parts.join(", ")} }`);
}

function within(room: number, text: string): string | undefined {
  return text.length < room ? text : undefined;
}
