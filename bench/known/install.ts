import { createHash } from "node:crypto";
import { cp, mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { HarnessError } from "../../harness/core/error.ts";
import { buildOnce, cacheFolder, exists } from "../../harness/postgres/cache.ts";
import { EXAMPLES, type KnownBug } from "./known-bug.ts";
import { ofNpm, type Packages, withInstalledVersions } from "./packages.ts";
import { finished } from "./process.ts";

const CHECKOUT = fileURLToPath(new URL("../../", import.meta.url));

/**
 * The folder below Heddle's cache in which the packages are installed. `heddle` leads to this checkout there,
 * as if it were a dependency.
 * @throws HarnessError USAGE if the checkout is not built.
 */
export async function installations(): Promise<string> {
  if (!(await exists(join(CHECKOUT, "dist/harness/index.js"))))
    throw new HarnessError("USAGE", "this needs the built package: npm run build");
  const folder = join(await cacheFolder(undefined), "known");
  const modules = join(folder, "node_modules");
  await mkdir(modules, { recursive: true, mode: 0o755 });
  await rm(join(modules, "heddle"), { force: true });
  await symlink(CHECKOUT, join(modules, "heddle"));
  return folder;
}

/**
 * Installs packages from the registry, once for each set of versions, without their scripts.
 * @returns the folder with `node_modules`.
 */
async function installed(folder: string, name: string, packages: Packages): Promise<string> {
  const manifest = JSON.stringify({ private: true, dependencies: ofNpm(packages) }, null, 2);
  const hash = createHash("sha256").update(manifest).digest("hex").slice(0, 12);
  return buildOnce(join(folder, `${name}-${hash}`), async (draft) => {
    await writeFile(join(draft, "package.json"), manifest);
    const args = ["install", "--ignore-scripts", "--legacy-peer-deps", "--no-audit", "--no-fund"];
    const { code, stderr } = await finished("npm", args, { cwd: draft, timeoutMs: 300_000 });
    if (code !== 0)
      throw new HarnessError(
        "PROVIDER_FAILED",
        `the packages of ${name} cannot be installed: ${stderr}`,
      );
  });
}

/** Installs a version of a bug's package, and copies the scenario beside it. The path of the scenario. */
export async function installedScenario(
  folder: string,
  bug: KnownBug,
  version: string,
  packages: Packages,
): Promise<string> {
  const all = { ...packages, [bug.package]: version };
  await withInstalledVersions(all);
  const home = await installed(folder, bug.name, all);
  // What an earlier run found would be executed first.
  await rm(join(home, "regressions"), { recursive: true, force: true });
  await cp(join(EXAMPLES, bug.scenario ?? bug.name), home, { recursive: true });
  await prepare(home, bug.prepare);
  return join(home, "scenario.mjs");
}

/** Installs the packages of a stack, and copies the scenarios beside them. The path of its scenario. */
export async function installedStack(
  folder: string,
  scenarios: string,
  stack: string,
  packages: Packages,
  command: readonly string[] | undefined,
): Promise<string> {
  const home = await installed(folder, `stack-${stack}`, packages);
  await cp(scenarios, home, { recursive: true });
  await prepare(home, command);
  return join(home, `${stack}.mjs`);
}

/** Runs a command that makes what a scenario imports, such as a generated client. */
async function prepare(cwd: string, command: readonly string[] | undefined): Promise<void> {
  const [program, ...args] = command ?? [];
  if (program === undefined) return;
  const { code, stderr } = await finished(program, args, { cwd, timeoutMs: 120_000 });
  if (code !== 0)
    throw new HarnessError("PROVIDER_FAILED", `${command?.join(" ")} failed: ${stderr}`);
}
