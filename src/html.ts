/** HTML that is inserted without escaping. */
export interface Html {
  readonly html: string;
}

const ENTITIES: { readonly [character: string]: string } = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** A template tag. Escapes strings; inserts `Html` and lists of it unchanged. */
export function html(
  parts: TemplateStringsArray,
  ...values: readonly (string | Html | readonly Html[])[]
): Html {
  const [first = "", ...rest] = parts;
  return { html: rest.reduce((text, part, i) => text + shown(values[i] ?? "") + part, first) };
}

function shown(value: string | Html | readonly Html[]): string {
  if (typeof value === "string") return value.replace(/[&<>"']/g, (c) => ENTITIES[c] ?? "");
  return "html" in value ? value.html : value.map(shown).join("");
}
