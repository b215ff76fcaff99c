/** HTML that may stand in a page as it is. */
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

/** Puts texts into HTML, escaped; HTML and lists of it as they are. */
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
