/**
 * SQL on one line: white space between tokens becomes one space, comments are left out, and what is
 * quoted stays as it is.
 */
export function sqlLine(sql: string): string {
  return sql
    .replace(TOKEN, (_, quoted: string | undefined) => quoted ?? " ")
    .replace(/^ +| +$/g, "");
}

const TOKEN =
  /('(?:[^']|'')*'|"(?:[^"]|"")*"|\$(\w*)\$[\s\S]*?\$\2\$)|(?:\s|--[^\n]*|\/\*[\s\S]*?\*\/)+/g;
