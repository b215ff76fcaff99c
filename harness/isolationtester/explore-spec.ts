import { basename, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import fc from "fast-check";
import { HarnessError } from "../core/error.ts";
import type { Invariant } from "../core/verdict.ts";
import { loadParser } from "../parser/sql.ts";
import { withClient } from "../postgres/connection.ts";
import type { Service } from "../service/service.ts";
import { parseSpec, readText } from "./parse.ts";
import type { Spec } from "./spec.ts";
import { ABORTED, type InvariantQueries, startSpec, type Transaction } from "./spec-system.ts";
import { transactionsOf } from "./transactions.ts";

/** The response codes of a transaction. The body of the response holds the errors. */
const CODES = ["OK", "ERROR", ABORTED, "LOST"];

/** The name of a spec with invariants, by which replay files refer to them: `a.spec,b.sql,c.sql`. */
export function specName(spec: string, invariants: readonly string[]): string {
  const withComma = [spec, ...invariants].find((path) => path.includes(","));
  if (withComma === undefined) return [spec, ...invariants].join(",");
  throw new HarnessError("USAGE", `The path ${withComma} contains a comma: rename the file.`);
}

/** The inverse of `specName`: the files, the spec first; undefined if the name is not that of a spec. */
export function specFiles(name: string): readonly [string, ...string[]] | undefined {
  const [spec = "", ...invariants] = name.split(",");
  return spec.endsWith(".spec") ? [spec, ...invariants] : undefined;
}

/**
 * A spec as a service to explore: its sessions are the clients, their transactions the operations. The
 * permutations of the spec are ignored.
 * @throws HarnessError USAGE when a file cannot be read, or the spec has a syntax error.
 */
export async function specService(
  name: string,
  [file, ...invariants]: readonly [string, ...string[]],
): Promise<Service<null, Transaction>> {
  await loadParser();
  const spec = parseSpec(await readText(file, "spec"), file);
  const queries = new Map<string, string>();
  for (const path of invariants) {
    queries.set(basename(path, ".sql"), await readText(path, "invariant"));
  }
  const scenario = { initial: null, clients: clientsOf(spec) };
  return {
    name,
    migrate: (directUrl) => executeSetups(spec, directUrl),
    start: (context) => startSpec(spec, queries, context),
    scenarios: () => fc.constant(scenario),
    single: true,
    ownSessions: true,
    patterns: [],
    // The system replaces generated ids by `(new)` already.
    ids: {},
    aborts: [ABORTED],
    invariants: invariantsOf(queries),
    codes: Object.fromEntries(spec.sessions.map((session) => [session.name, CODES])),
    seededBugs: [],
    sources: [file, ...invariants].map((path) => pathToFileURL(resolve(path))),
  };
}

function clientsOf({ sessions }: Spec): Transaction[][] {
  return sessions.map((session) =>
    transactionsOf(session).map((steps) => ({
      name: session.name,
      steps: steps.map(({ name }) => name),
    })),
  );
}

async function executeSetups({ setups }: Spec, url: string): Promise<void> {
  await withClient(url, async (client) => {
    for (const setup of setups) await client.query(setup);
  });
}

function invariantsOf(queries: InvariantQueries): Invariant[] {
  return [...queries].map(([name, sql]) => ({
    name,
    description: `No row: ${sql.replaceAll(/\s+/g, " ").trim()}`,
    check: (snapshot) => {
      const evidence = snapshot[name] ?? [];
      if (evidence.length === 0) return [];
      const message = evidence.map((row) => JSON.stringify(row)).join(", ");
      return [{ checker: "invariant", name, message, evidence }];
    },
  }));
}
