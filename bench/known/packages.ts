import { HarnessError } from "../../harness/core/error.ts";
import { finished } from "./process.ts";

/** The versions of packages by name: npm's as npm takes them, or `debian` for a package of Debian. */
export interface Packages {
  readonly [name: string]: string;
}

/** In place of a version: the one that Debian has. */
const DEBIAN = "debian";

/** Those that npm installs. */
export function ofNpm(packages: Packages): Packages {
  return Object.fromEntries(Object.entries(packages).filter(([, version]) => version !== DEBIAN));
}

/**
 * The packages with the versions that are installed in place of `debian`.
 * @throws HarnessError PROVIDER_FAILED names the packages of Debian that are not installed.
 */
export async function withInstalledVersions(packages: Packages): Promise<Packages> {
  const missing: string[] = [];
  const versions: [string, string][] = [];
  for (const [name, version] of Object.entries(packages)) {
    const installed = version === DEBIAN ? await installedVersion(name) : version;
    if (installed === undefined) missing.push(name);
    else versions.push([name, installed]);
  }
  if (missing.length === 0) return Object.fromEntries(versions);
  throw new HarnessError(
    "PROVIDER_FAILED",
    `this needs packages of Debian: apt-get install --no-install-recommends ${missing.join(" ")}`,
  );
}

/** The version of Debian's package, without what Debian adds to it; undefined if it is not installed. */
async function installedVersion(name: string): Promise<string | undefined> {
  const options = { cwd: "/", timeoutMs: 10_000 };
  const { stdout } = await finished("dpkg-query", ["--status", name], options).catch(() => ({
    // There is no Debian here.
    stdout: "",
  }));
  return versionOf(stdout);
}

/** What `dpkg-query --status` says. Of `2:6.1.7.10+dfsg-1~deb12u4`: `6.1.7.10`. */
export function versionOf(status: string): string | undefined {
  if (!/^Status: \S+ \S+ installed$/m.test(status)) return undefined;
  return /^Version: (?:\d+:)?([^-+~\n]+)/m.exec(status)?.[1];
}
