import { readdir, readFile, stat } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { HarnessError } from "../core/error.ts";
import type { Query } from "../execution/observation.ts";
import type { Service } from "../service/service.ts";

/**
 * Adds invariants to a service: the queries in the files, or in all `.sql` files of the folders, at
 * `paths`. An invariant has the name of its file.
 *
 * @throws HarnessError `USAGE` if a file cannot be read, or two invariants have the same name
 */
export async function withInvariants(service: Service, paths: readonly string[]): Promise<Service> {
  if (paths.length === 0) return service;
  const files = (await Promise.all(paths.map(filesAt))).flat();
  const queries = [...(service.queries ?? []), ...(await Promise.all(files.map(queryIn)))];
  const duplicate = queries.find(({ name }, at) => queries.findIndex((q) => q.name === name) < at);
  if (duplicate !== undefined) {
    throw usage(`two invariants have the name ${duplicate.name}: rename one`);
  }
  const sources = [...service.sources, ...files.map((file) => pathToFileURL(file))];
  return { ...service, queries, sources };
}

async function queryIn(file: string): Promise<Query> {
  const sql = await readFile(file, "utf8").catch((cause) => unreadable(file, cause));
  return { name: basename(file, ".sql"), sql };
}

async function filesAt(path: string): Promise<string[]> {
  const status = await stat(path).catch((cause) => unreadable(path, cause));
  if (!status.isDirectory()) return [resolve(path)];
  const names = (await readdir(path)).filter((name) => name.endsWith(".sql")).sort();
  if (names.length === 0) throw usage(`the folder ${path} has no .sql files`);
  return names.map((name) => resolve(path, name));
}

function unreadable(path: string, cause: unknown): never {
  throw usage(
    `the invariant ${path} cannot be read: give a .sql file, or a folder of .sql files`,
    cause,
  );
}

function usage(message: string, cause?: unknown): HarnessError {
  return new HarnessError("USAGE", message, { cause });
}
