import { installedBinaries, runnableBinaries } from "./binaries.ts";
import { cacheFolder, exists } from "./cache.ts";
import { clusterFolder } from "./cluster.ts";
import { keptContainers } from "./container/container-label.ts";
import { openEngine } from "./container/engine.ts";
import { imageId } from "./container/image.ts";
import { examineDatabase } from "./database-examination.ts";
import { type Diagnostic, probe } from "./diagnostic.ts";
import { serverUser } from "./os-user.ts";
import { settle, startServer } from "./provider.ts";
import { baseFolder } from "./run-folder.ts";
import type { Server } from "./server.ts";

/**
 * Finds out what the server of a choice allows, by using it: it is started, a database is leased,
 * tried and dropped, and the server is stopped.
 * @param choice as for `startServer`.
 */
export async function examine(choice: string): Promise<Diagnostic[]> {
  const findings: Diagnostic[] = [];
  const chosen = await probe(findings, "provider", async () => {
    const value = await settle(choice);
    return { value, detail: `${value.provider} (${value.why})` };
  });
  if (chosen === undefined) return findings;
  if (chosen.provider === "embedded") await examineInstallation(findings, chosen.major);
  if (chosen.provider === "container") await examineEngine(findings, chosen.image);
  const server = await probe(findings, "server", async () => {
    const value = await startServer(choice);
    return { value, detail: value.description };
  });
  if (server === undefined) return findings;
  try {
    await examineServer(findings, server);
  } finally {
    await server.stop();
  }
  return findings;
}

async function examineInstallation(
  findings: Diagnostic[],
  major: string | undefined,
): Promise<void> {
  const installed = await probe(findings, "binaries", async () => {
    const value = await installedBinaries(major);
    return { value, detail: `PostgreSQL ${value.version} in ${value.folder}` };
  });
  const runner = await probe(findings, "account", async () => {
    const account = await serverUser();
    const name = account === undefined ? "this user" : `${account.name}, since this is root`;
    return { value: { account }, detail: `Postgres runs as ${name}` };
  });
  if (installed === undefined || runner === undefined) return;
  await probe(findings, "cache", async () => {
    const value = await cacheFolder(runner.account);
    return { value, detail: value };
  });
  await probe(findings, "cluster", async () => {
    const { folder } = await runnableBinaries(installed, runner.account);
    const cluster = await clusterFolder(installed, runner.account);
    const state = (await exists(cluster)) ? "is" : "will be, at the first start,";
    const detail = `${cluster} ${state} initialized; binaries run in ${folder}`;
    return { value: cluster, detail };
  });
  await probe(findings, "run folders", async () => {
    const value = await baseFolder(runner.account);
    return { value, detail: `below ${value}, where the path of a socket is short enough` };
  });
}

async function examineEngine(findings: Diagnostic[], image: string): Promise<void> {
  const engine = await probe(findings, "engine", async () => {
    const value = await openEngine();
    return { value, detail: `runs on ${value.system}` };
  });
  if (engine === undefined) return;
  await probe(findings, "image", async () => {
    const here = (await imageId(engine, image)) !== undefined;
    return { value: here, detail: `${image} ${here ? "is here" : "has to be downloaded"}` };
  });
  await probe(findings, "kept containers", async () => {
    const value = await keptContainers(engine);
    const remove = `remove with docker rm --force --volumes ${value.join(" ")}`;
    return { value, detail: value.length === 0 ? "none" : `${value.length}: ${remove}` };
  });
}

async function examineServer(findings: Diagnostic[], server: Server): Promise<void> {
  const database = await probe(findings, "create database", async () => {
    const value = await server.lease();
    return { value, detail: `${value.name}, dropped again` };
  });
  if (database === undefined) return;
  const pushed = database.lockWaits === "pushed";
  findings.push({
    name: "lock waits",
    ok: true,
    detail: pushed
      ? "pushed by the server: deadlock_timeout and log_lock_waits may be set"
      : "asked for, which is slower: this role may not set deadlock_timeout and log_lock_waits",
  });
  await examineDatabase(findings, database.url);
}
