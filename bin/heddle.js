#!/usr/bin/env node
// Starts Heddle with what lies beside it: the TypeScript sources in a checkout, else the built
// package. Plain JavaScript for the oldest Node that package.json allows.
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
  // Not before Node 22.1.
  const compiled = module.enableCompileCache === undefined ? undefined : compiledFolder();
  if (compiled !== undefined) {
    module.enableCompileCache(compiled);
    // For the processes that this one starts.
    process.env.NODE_COMPILE_CACHE ??= compiled;
  }
  const { main } = await import(entry.href);
  const code = await main(process.argv.slice(2));
  await Promise.all([written(process.stdout), written(process.stderr)]);
  // All of ours is closed; what a scenario left open (a timer, a pool) would keep this process alive.
  process.exit(code);
}

/** Resolves when all that was written before has gone out, or cannot. */
function written(stream) {
  return new Promise((resolve) => {
    stream.write("", () => resolve());
  });
}

/**
 * Where what was compiled is kept for the next start: below the cache folder (see cacheFolder in
 * harness/postgres/cache.ts), if nobody else can write there, since it is run.
 */
function compiledFolder() {
  const uid = process.getuid?.();
  const usual = uid === 0 ? "/var/cache" : join(homedir(), ".cache");
  // What we start may be in another folder.
  const cache = resolve(process.env.XDG_CACHE_HOME || usual, "heddle");
  try {
    mkdirSync(cache, { recursive: true, mode: 0o755 });
    const { uid: owner, mode } = statSync(cache);
    return uid === undefined || (owner === uid && (mode & 0o022) === 0)
      ? join(cache, "compiled")
      : undefined;
  } catch {
    return undefined;
  }
}

/** This Node cannot run TypeScript; the one among the development dependencies can. */
function runOnNewerNode() {
  const node = fileURLToPath(new URL("../node_modules/node/bin/node", import.meta.url));
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: "inherit",
  });
  // A terminal sends Ctrl-C to both processes: the child answers it, and this one waits for that.
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
