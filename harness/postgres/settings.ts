/** No work that nobody asked for. More was measured (io_method, workers) and makes no difference. */
const SETTINGS = {
  autovacuum: "off",
  jit: "off",
  TimeZone: "UTC",
  shared_buffers: "32MB",
};

/**
 * How a server of ours is set.
 * @param durable whether what was committed has to outlive a crash.
 */
export function settingsFor(durable: boolean): { readonly [name: string]: string } {
  const value = durable ? "on" : "off";
  const settings = {
    ...SETTINGS,
    fsync: value,
    synchronous_commit: value,
    full_page_writes: value,
  };
  // Its longest: what a commit leaves to others is not on disk by chance when the server is killed.
  return durable ? { ...settings, wal_writer_delay: "10s" } : settings;
}

/** The same as arguments of `postgres`. */
export function settingArguments(settings: { readonly [name: string]: string }): string[] {
  return Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
}

/**
 * How a database on a server of ours is created: texts sort by code point on each of them, and
 * fold by Unicode where Postgres has rules of its own for that; and a copy of the template's files
 * is quicker than a log of what is in them.
 * @param version the server's.
 */
export function databaseOptions(version: string): string {
  const major = Number.parseInt(version, 10);
  return [
    "encoding 'UTF8' locale 'C'",
    ...(major >= 15 ? ["strategy file_copy"] : []),
    ...(major >= 17 ? ["locale_provider builtin builtin_locale 'C.UTF-8'"] : []),
  ].join(" ");
}
