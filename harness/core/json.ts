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
  const flat = oneLine(value);
  const fits = indent.length + lead.length + flat.length < width;
  if (typeof value !== "object" || value === null || fits) return flat;
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

function oneLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(oneLine).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([key, v]) => `${JSON.stringify(key)}: ${oneLine(v)}`);
  return members.length === 0 ? "{}" : `{ ${members.join(", ")} }`;
}
