/** Rows as the server sends them: as text, or null. */
export interface ResultTable {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | null)[])[];
}

/**
 * A table as libpq's PQprint writes it when asked for a header and aligned columns, which is what
 * isolationtester does (https://www.postgresql.org/docs/15/libpq-exec.html#LIBPQ-PQPRINT). Numbers
 * are to the right, widths are in bytes, a null is empty, and a table without columns is nothing.
 */
export function tableText({ columns, rows }: ResultTable): string {
  if (columns.length === 0) return "";
  const formats = columns.map((name, index) => {
    const cells = rows.map((row) => row[index] ?? "");
    return { width: Math.max(...[name, ...cells].map(bytes)), right: cells.every(looksNumeric) };
  });
  const line = (cells: readonly (string | null)[]) =>
    formats.map((format, index) => padded(cells[index] ?? "", format)).join("|");
  return [
    line(columns),
    formats.map(({ width }) => "-".repeat(width)).join("+"),
    ...rows.map(line),
    `(${rows.length} row${rows.length === 1 ? "" : "s"})`,
    "\n",
  ].join("\n");
}

/** What PQprint takes for a number; it is not particular, and what is empty counts for nothing. */
function looksNumeric(cell: string): boolean {
  return cell === "" || (/^[0-9. -][0-9.Ee -]*$/.test(cell) && /[0-9]$/.test(cell));
}

function padded(cell: string, { width, right }: { width: number; right: boolean }): string {
  const padding = " ".repeat(width - bytes(cell));
  return right ? padding + cell : cell + padding;
}

function bytes(text: string): number {
  return Buffer.byteLength(text);
}
