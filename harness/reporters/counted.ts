const grouping = new Intl.NumberFormat("en-US", { maximumFractionDigits: 1 });

/** `12,345`, `0.5`: the same wherever it runs. */
export function number(value: number): string {
  return grouping.format(value);
}

/** `1 execution`, `2 executions`. */
export function counted(count: number, noun: string): string {
  return `${number(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** `12.5 %`, `40.0 %`. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

/** `0.4 s`, `1 min 20 s`. */
export function duration(ms: number): string {
  if (ms < 60_000) return `${number(ms / 1000)} s`;
  const seconds = Math.round(ms / 1000);
  return `${number(Math.floor(seconds / 60))} min ${seconds % 60} s`;
}

/** `2026-05-04 10:20 UTC`, of a time as `toISOString` gives it. */
export function minute(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`;
}

/** More of them nobody reads. */
const MOST_NAMES = 6;

/** `a, b, c`, or `a, b, c, d, e, f, 12 more`. */
export function listed(names: readonly string[]): string {
  const rest = names.length - MOST_NAMES;
  return [...names.slice(0, MOST_NAMES), ...(rest > 0 ? [`${number(rest)} more`] : [])].join(", ");
}
