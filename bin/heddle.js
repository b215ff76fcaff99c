#!/usr/bin/env node
// Starts Heddle: from the TypeScript sources in a checkout, or from `dist` in a package. Plain
// JavaScript, for the oldest Node that package.json allows.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, statSync } from "node:fs";
import module from "node:module";
import { constants, homedir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const source = new URL("../harness/cli/main.ts", import.meta.url);
const built = new URL("../dist/harness/cli/main.js", import.meta.url);

if (!existsSync(source)) {
  await run(built);
} else if (process.features.typescript) {
  await run(source);
} else {
  runOnNewerNode();
}

async function run(entry) {
  // Node has it since 22.1.
  const cache = module.enableCompileCache === undefined ? undefined : compileCacheFolder();
  if (cache !== undefined) {
    module.enableCompileCache(cache);
    // Child processes read the variable.
    process.env.NODE_COMPILE_CACHE ??= cache;
  }
  const { main } = await import(entry.href);
  const code = await main(process.argv.slice(2));
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  // Heddle has closed its resources. A timer or a pool of a scenario would keep the process alive.
  process.exit(code);
}

/** Resolves when everything written to the stream is flushed, or the stream has failed. */
function flushed(stream) {
  return new Promise((resolve) => {
    stream.write("", () => resolve());
  });
}

/**
 * The folder for Node's compile cache: below Heddle's cache folder (see cacheFolder in
 * harness/postgres/cache.ts). Undefined if another OS user can write there, since the code in it is
 * executed.
 */
function compileCacheFolder() {
  const uid = process.getuid?.();
  const defaultFolder = uid === 0 ? "/var/cache" : join(homedir(), ".cache");
  // An absolute path: a child process may have another working directory.
  const cache = resolve(process.env.XDG_CACHE_HOME || defaultFolder, "heddle");
  try {
    mkdirSync(cache, { recursive: true, mode: 0o755 });
    const { uid: folderUid, mode } = statSync(cache);
    return uid === undefined || (folderUid === uid && (mode & 0o022) === 0)
      ? join(cache, "compiled")
      : undefined;
  } catch {
    return undefined;
  }
}

/** Runs this script on the Node among the development dependencies, which runs TypeScript. */
function runOnNewerNode() {
  const node = fileURLToPath(new URL("../node_modules/node/bin/node", import.meta.url));
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: "inherit",
  });
  // A terminal sends Ctrl-C to both processes. The child handles it, and this one waits for its exit.
  process.on("SIGINT", () => {});
  for (const signal of ["SIGTERM", "SIGHUP"]) {
    process.on(signal, () => child.kill(signal));
  }
  child.on("error", () => {
    console.error(
      `heddle: Node ${process.version} cannot run this checkout; run \`npm ci\` first.`,
    );
    process.exitCode = 2;
  });
  child.on("exit", (code, signal) => {
    process.exitCode = code ?? 128 + constants.signals[signal];
  });
}
