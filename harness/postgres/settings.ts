/** Turns off background work. Other settings (io_method, workers) were measured, and make no difference. */
const SETTINGS = {
  autovacuum: "off",
  jit: "off",
  TimeZone: "UTC",
  shared_buffers: "32MB",
  // A hundred clients, and Heddle's own connections.
  max_connections: "250",
};

/**
 * The settings of a server that Heddle starts.
 * @param durable whether committed data must survive a crash.
 */
export function settingsFor(durable: boolean): { readonly [name: string]: string } {
  const value = durable ? "on" : "off";
  const settings = {
    ...SETTINGS,
    fsync: value,
    synchronous_commit: value,
    full_page_writes: value,
  };
  // The longest delay: a kill loses what is written asynchronously every time, and not by chance.
  return durable ? { ...settings, wal_writer_delay: "10s" } : settings;
}

/** Settings as arguments of `postgres`. */
export function settingArguments(settings: { readonly [name: string]: string }): string[] {
  return Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
}

/** The options of CREATE DATABASE for an empty database, and for a copy of another one. */
export interface CreateOptions {
  readonly empty: string;
  readonly copy: string;
}

export const SERVER_DEFAULTS: CreateOptions = { empty: "", copy: "" };

/**
 * The options of CREATE DATABASE on a server that Heddle starts. Texts sort by code point, and change
 * case by the rules of Unicode from PostgreSQL 17 on. Copying the template's files (`file_copy`) is faster
 * than logging their contents.
 * @param version the version of the server.
 */
export function databaseOptions(version: string): CreateOptions {
  const major = Number.parseInt(version, 10);
  const copy = major >= 15 ? "strategy file_copy" : "";
  const locale = major >= 17 ? "locale_provider builtin builtin_locale 'C.UTF-8'" : "";
  return { empty: `encoding 'UTF8' locale 'C' ${copy} ${locale}`, copy };
}
