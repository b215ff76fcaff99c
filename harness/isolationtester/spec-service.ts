import { basename, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import fc from "fast-check";
import { Client } from "pg";
import { HarnessError } from "../core/error.ts";
import type { Invariant } from "../core/invariant.ts";
import type { Service } from "../service/service.ts";
import { parseSpec } from "./parse.ts";
import { readText } from "./read-text.ts";
import type { Spec } from "./spec.ts";
import { ABORTED, type Forbidden, startSpec, type Transaction } from "./spec-system.ts";
import { loadParser, transactionsOf } from "./transactions.ts";

/** What a transaction may come to; which error it was, its answer says. */
const CODES = ["OK", "ERROR", ABORTED, "LOST"];

/** A spec and its invariants under one name, as replay files have it: `a.spec,b.sql,c.sql`. */
export function specName(spec: string, invariants: readonly string[]): string {
  const odd = [spec, ...invariants].find((path) => path.includes(","));
  if (odd === undefined) return [spec, ...invariants].join(",");
  throw new HarnessError("USAGE", `The path ${odd} has a comma: rename the file.`);
}

/** The files that such a name names, the spec first; undefined if it is no such name. */
export function specFiles(name: string): readonly [string, ...string[]] | undefined {
  const [spec = "", ...invariants] = name.split(",");
  return spec.endsWith(".spec") ? [spec, ...invariants] : undefined;
}

/**
 * A spec as something to explore: its sessions are clients, and their transactions the operations.
 * The permutations that it names are left to `runSpec`.
 * @throws HarnessError USAGE when a file cannot be read, or the spec is none.
 */
export async function specService(
  name: string,
  [file, ...invariants]: readonly [string, ...string[]],
): Promise<Service<null, Transaction>> {
  await loadParser();
  const spec = parseSpec(await readText(file, "spec"), file);
  const forbidden = new Map<string, string>();
  for (const path of invariants) {
    forbidden.set(basename(path, ".sql"), await readText(path, "invariant"));
  }
  const scenario = { initial: null, clients: clientsOf(spec) };
  return {
    name,
    migrate: (directUrl) => setUp(spec, directUrl),
    start: (context) => startSpec(spec, forbidden, context),
    scenarios: () => fc.constant(scenario),
    single: true,
    ownSessions: true,
    patterns: [],
    // New ids are no part of what is compared.
    ids: {},
    aborts: [ABORTED],
    invariants: invariantsOf(forbidden),
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

async function setUp({ setups }: Spec, url: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    for (const setup of setups) await client.query(setup);
  } finally {
    await client.end();
  }
}

function invariantsOf(forbidden: Forbidden): Invariant[] {
  return [...forbidden].map(([name, sql]) => ({
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
