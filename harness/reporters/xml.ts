/*
 * The pieces of a JUnit file.
 */

export function testCase(name: string, classname: string, content: readonly string[]): string {
  const named = attributes({ name, classname });
  return content.length === 0
    ? `<testcase ${named}/>`
    : `<testcase ${named}>\n${content.join("\n")}\n</testcase>`;
}

export function element(name: string, message: string, text: string): string {
  return `<${name} ${attributes({ message })}>${escaped(text)}</${name}>`;
}

export function attributes(values: { readonly [name: string]: string | number }): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}="${escaped(String(value))}"`)
    .join(" ");
}

const ENTITIES: { readonly [character: string]: string } = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

/** XML 1.0 cannot hold most control characters and no lone surrogates, not even as references. */
export function escaped(text: string): string {
  return text
    .replace(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, "\u{fffd}")
    .replace(/[&<>"]/g, (character) => ENTITIES[character] ?? character);
}
